"""The cross-modal renderer: blind to the template's mouth, bit-exact outside its mask, the same after loading."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.render.conftest import Person

from lipwright.compose.paste import paste
from lipwright.core.contracts import F32, U8, FaceTrack, RenderWindow
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.core.ibug import MOUTH
from lipwright.face.align import apply, invert
from lipwright.media.color import ColorTags
from lipwright.media.picture import Picture
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.networks import CrossModal
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.render.head import HeadGeometry
from lipwright.render.registry import RENDERERS
from lipwright.render.translation.renderer import TranslationRenderer

HIDDEN = [*MOUTH, *range(3, 14)]
CONFIG = CrossModalConfig(size=256, ndf=4, expressions=1)


@pytest.fixture(scope="module")
def geometry(person: Person) -> HeadGeometry:
    return HeadGeometry.fit(person.landmarks, person.pose, CONFIG.size)


@pytest.fixture(scope="module")
def renderer(geometry: HeadGeometry) -> CrossModalRenderer:
    return CrossModalRenderer(CrossModal(CONFIG, geometry.mouth_square), geometry)


def larger(person: Person, times: int, which: list[int]) -> tuple[list[U8], FaceTrack]:
    """Frames and their track with `times` the pixels."""
    track = person.track()[which]
    size = (track.size[0] * times, track.size[1] * times)
    points = (track.landmarks_px + 0.5) * times - 0.5
    contour = np.full((len(which), 33), 45.0 * times, np.float32)
    frames = [cv2.resize(person.frames[i], size, interpolation=cv2.INTER_CUBIC) for i in which]
    return frames, replace(track, landmarks_px=points.astype(np.float32), size=size, contour_px=contour)


def heard(count: int, seed: int = 0) -> F32:
    return np.random.default_rng(seed).random((count, CONFIG.window, CONFIG.k), np.float32)


@pytest.mark.parametrize("times", [1, 4])
def test_patches_are_as_fine_as_the_frame_and_leave_the_rest_alone(
    renderer: CrossModalRenderer, person: Person, times: int
) -> None:
    frames, track = larger(person, times, [3, 30])
    patches = list(renderer.render(RenderWindow(frames, track, heard(2), track)))
    boxes = renderer.footprint(track)
    for frame, patch, box in zip(frames, patches, boxes, strict=True):
        per_frame_pixel = np.sqrt(abs(np.linalg.det(patch.crop_from_frame[:, :2])))
        assert per_frame_pixel >= min(0.99, renderer.geometry.size / renderer.geometry.mouth_square[2] * 0.4)
        assert patch.rgb8.shape[:2] == patch.mask.shape
        picture = Picture.of_rgb8(frame, ColorTags(), "yuv444p")
        changed = (paste(picture, patch).rgb8() != picture.rgb8()).any(-1)
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        assert len(rows), "something is shown"
        assert box[1] <= rows[0] <= rows[-1] < box[3]
        assert box[0] <= columns[0] <= columns[-1] < box[2]
        height, width = frame.shape[:2]
        places = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(1, -1, 2).astype(np.float32)
        there = apply(patch.crop_from_frame[None], places)[0]
        mask = cv2.remap(patch.mask, *there.reshape(height, width, 2).transpose(2, 0, 1), cv2.INTER_LINEAR)
        assert not changed[mask == 0].any(), "bit for bit outside the mask"


def test_only_what_the_footprint_names_is_read(renderer: CrossModalRenderer, person: Person) -> None:
    frames, track = larger(person, 1, [7])
    x0, y0, x1, y1 = np.clip(renderer.footprint(track)[0], 0, None)
    cut = np.zeros_like(frames[0])
    cut[y0:y1, x0:x1] = frames[0][y0:y1, x0:x1]
    whole, part = (next(renderer.render(RenderWindow([f], track, heard(1), track))) for f in (frames[0], cut))
    np.testing.assert_array_equal(whole.rgb8, part.rgb8)


def test_the_patch_cannot_tell_the_templates_mouth(renderer: CrossModalRenderer, person: Person) -> None:
    """Landmarks of mouth and chin and every pixel inside the hull replaced: the same patch, bit for bit."""
    frames, track = larger(person, 2, [0, 12, 40])
    rng = np.random.default_rng(1)
    points = track.landmarks_px.copy()
    points[:, HIDDEN] += rng.normal(0, 6, (3, len(HIDDEN), 2)).astype(np.float32)
    maps = renderer.geometry.head_maps(track.landmarks_px)
    changed = []
    for frame, affine, hull in zip(frames, maps, renderer.geometry.crop.hulls(track.pose_rad), strict=True):
        inside = np.zeros(frame.shape[:2], np.uint8)
        cv2.fillConvexPoly(inside, np.round(apply(invert(affine), hull) * 16).astype(np.int32), (255,), cv2.LINE_8, 4)
        assert (inside > 0).sum() > 500
        noise = rng.integers(0, 256, frame.shape).astype(np.uint8)
        changed.append(np.where(inside[..., None] > 0, noise, frame))
    other = replace(track, landmarks_px=points)
    said = heard(3)
    own = list(renderer.render(RenderWindow(frames, track, said, track)))
    hidden = list(renderer.render(RenderWindow(changed, other, said, other)))
    for a, b in zip(own, hidden, strict=True):
        np.testing.assert_array_equal(a.mask, b.mask)
        np.testing.assert_array_equal(a.rgb8, b.rgb8)
        np.testing.assert_array_equal(a.crop_from_frame, b.crop_from_frame)


def test_a_listening_persona_is_sewn_by_the_jaw_it_lets_expect(renderer: CrossModalRenderer, person: Person) -> None:
    """Where mouth and jaw are put follows speech, and nothing of the template's own mouth; what is drawn neither."""
    said = renderer.network.heard(heard(len(person.landmarks)))
    assert said is not None
    assert said.shape == (len(person.landmarks), CONFIG.heard_bases)
    crops = apply(renderer.geometry.head_maps(person.landmarks), person.landmarks)
    geometry = renderer.geometry.listening(crops, person.pose, said)
    listening = CrossModalRenderer(renderer.network, geometry)
    frames, track = larger(person, 1, [0, 12, 40])
    other = replace(track, landmarks_px=track.landmarks_px.copy())
    other.landmarks_px[:, HIDDEN] += 5
    ours, theirs = renderer.network.heard(heard(3)), renderer.network.heard(heard(3, 1))
    assert ours is not None
    assert theirs is not None
    maps, others = (geometry.head_maps(t.landmarks_px) for t in (track, other))
    wanted = geometry.wanted(maps, track.pose_rad, ours)
    np.testing.assert_array_equal(wanted, geometry.wanted(others, track.pose_rad, ours))
    assert np.abs(wanted - geometry.wanted(maps, track.pose_rad, theirs)).max() > 0
    drawn = zip(listening.strokes(track), listening.strokes(other), strict=True)
    assert all(np.array_equal(a, b) for a, b in drawn)
    shown = list(listening.render(RenderWindow(frames, track, heard(3), track)))
    for patch, box in zip(shown, listening.footprint(track), strict=True):
        assert patch.rgb8.shape[:2] == (box[3] - box[1], box[2] - box[0])
        np.testing.assert_array_equal(patch.crop_from_frame[:, :2], np.eye(2))


def test_other_speech_and_another_expression_change_the_patch_and_not_its_place(
    renderer: CrossModalRenderer, person: Person
) -> None:
    frames, track = larger(person, 1, [5])
    said = heard(1)
    smiling = said.copy()
    smiling[..., -1] += 1
    own, other, smile = (
        next(renderer.render(RenderWindow(frames, track, x, track))) for x in (said, heard(1, 1), smiling)
    )
    for changed in (other, smile):
        assert (changed.rgb8 != own.rgb8).any()
        np.testing.assert_array_equal(changed.mask, own.mask)


def test_full_face_shows_the_whole_crop(renderer: CrossModalRenderer, person: Person) -> None:
    whole = CrossModalRenderer(renderer.network, renderer.geometry, "full-face")
    frames, track = larger(person, 1, [5])
    patch = next(whole.render(RenderWindow(frames, track, heard(1), track)))
    sewn = next(renderer.render(RenderWindow(frames, track, heard(1), track)))
    assert patch.mask.sum() > 1.5 * sewn.mask.sum()
    assert patch.mask.max() == 1
    with pytest.raises(ConfigError, match="unknown mode 'half'"):
        CrossModalRenderer(renderer.network, renderer.geometry, "half")


def test_chunks_give_the_same_patches(renderer: CrossModalRenderer, person: Person) -> None:
    frames, track = larger(person, 1, list(range(4)))
    said = heard(4)
    whole = list(renderer.render(RenderWindow(frames, track, said, track)))
    single = [next(renderer.render(RenderWindow([f], track[i : i + 1], said[i : i + 1], track[i : i + 1])))
              for i, f in enumerate(frames)]  # fmt: skip
    for a, b in zip(whole, single, strict=True):
        np.testing.assert_array_equal(a.rgb8, b.rgb8)


def test_saved_and_loaded_it_draws_the_same(renderer: CrossModalRenderer, person: Person, tmp_path: Path) -> None:
    renderer.save(tmp_path / "r.safetensors")
    again = CrossModalRenderer.load(tmp_path / "r.safetensors")
    frames, track = larger(person, 1, [9])
    a, b = (next(r.render(RenderWindow(frames, track, heard(1), track))) for r in (renderer, again))
    np.testing.assert_array_equal(a.rgb8, b.rgb8)
    tensors, config = renderer.state()
    assert isinstance(RENDERERS.get("crossmodal")(tensors, config, "cpu"), CrossModalRenderer)
    with pytest.raises(CheckpointError, match="not a cross-modal renderer"):
        CrossModalRenderer.from_state(tensors, {})
    with pytest.raises(CheckpointError, match="not a translation renderer"):
        TranslationRenderer.load(tmp_path / "r.safetensors")


def test_windows_of_another_shape_are_refused(renderer: CrossModalRenderer, person: Person) -> None:
    frames, track = larger(person, 1, [5, 6])
    with pytest.raises(ShapeError, match="target"):
        next(renderer.render(RenderWindow(frames, track, heard(2)[..., :-1], track)))
    with pytest.raises(ShapeError, match="track"):
        next(renderer.render(RenderWindow(frames, track[:1], heard(2), track)))
