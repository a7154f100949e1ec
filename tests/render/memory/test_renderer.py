"""The memory on the presenter: rebuilds unseen frames, obeys the wanted lips, stays in its region, leaks nothing."""

from __future__ import annotations

import copy
from dataclasses import replace

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import F32, U8, FaceTrack, Renderer, RenderWindow
from lipwright.core.errors import CheckpointError, SubjectError
from lipwright.core.ibug import JAW, MOUTH, MOUTH_JAW, lip_aperture
from lipwright.face.align import apply, compose, invert
from lipwright.face.landmarks68 import to_68
from lipwright.face.tracker import TRACKERS
from lipwright.render.memory.bank import build_bank
from lipwright.render.memory.renderer import MemoryRenderer
from lipwright.subject.store import Subject

HELD_OUT = slice(200, 245)


@pytest.fixture(scope="module")
def footage(subject: Subject) -> list[U8]:
    return list(subject.frames.read())


@pytest.fixture(scope="module")
def renderer(subject: Subject, footage: list[U8]) -> MemoryRenderer:
    """Remembers the first eight seconds only."""
    return MemoryRenderer(build_bank(enumerate(footage[:190]), subject.track))


def window(footage: list[U8], track: FaceTrack, where: slice, target: F32 | None = None) -> RenderWindow:
    wanted = track.landmarks_px[where][:, MOUTH_JAW] if target is None else target
    return RenderWindow(footage[where], track[where], wanted, track[where])


def shown(frame: U8, patch: object) -> U8:
    from lipwright.compose.paste import paste
    from lipwright.media.color import BT709
    from lipwright.media.picture import Picture

    # 10 bit and full chroma: what the picture itself loses stays below half a level.
    return paste(Picture.of_rgb8(frame, BT709, "yuv444p10le"), patch).rgb8()  # type: ignore[arg-type]


def mouth_box(points: F32) -> tuple[slice, slice]:
    (x0, y0), (x1, y1) = points[MOUTH].min(0).astype(int) - 8, points[MOUTH].max(0).astype(int) + 9
    return slice(y0, y1), slice(x0, x1)


def psnr(error: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean(np.square(error.astype(np.float64)))))


def test_unseen_frames_are_rebuilt(renderer: MemoryRenderer, footage: list[U8], subject: Subject) -> None:
    """Against the mean image of the remembered mouths, aligned by the head and given the frame's own place."""
    track, geometry = subject.track, renderer.bank.geometry
    maps = geometry.aligner.maps(track.landmarks_px)
    size = (256, 256)
    x0, y0, x1, y1 = geometry.region
    scale = 256 / max(x1 - x0, y1 - y0)
    crop = np.array([[scale, 0, -x0 * scale], [0, scale, -y0 * scale]], np.float32)
    mean = np.mean([cv2.warpAffine(footage[t], compose(crop, maps[t]), size) for t in range(0, 190, 5)], axis=0)
    ours, still, sharp = [], [], []
    for t, patch in zip(range(200, 245), renderer.render(window(footage, track, HELD_OUT)), strict=True):
        box = mouth_box(track.landmarks_px[t])
        real = footage[t][box].astype(float)
        made = shown(footage[t], patch)[box]
        back = cv2.warpAffine(mean.astype(np.float32), invert(compose(crop, maps[t])), subject.size)[box]
        ours.append(real - made)
        still.append(real - back)
        sharp.append([cv2.Laplacian(x.astype(np.float32).mean(2), cv2.CV_32F).var() for x in (made, real)])
    gain = psnr(np.concatenate([e.ravel() for e in ours])) - psnr(np.concatenate([e.ravel() for e in still]))
    sharpness = np.mean(sharp, axis=0)
    assert gain > 4.5, "6.0 dB when this was written"
    assert 0.85 < sharpness[0] / sharpness[1] < 1.2


def test_patches_follow_the_contract(renderer: MemoryRenderer, footage: list[U8], subject: Subject) -> None:
    assert isinstance(renderer, Renderer)
    patches = list(renderer.render(window(footage, subject.track, slice(200, 205))))
    assert len(patches) == 5
    for patch in patches:
        assert patch.rgb8.dtype == np.uint8
        assert patch.rgb8.shape[:2] == patch.mask.shape
        assert patch.mask.min() == 0
        assert 0.99 < patch.mask.max() <= 1
        edge = np.concatenate([patch.mask[0], patch.mask[-1], patch.mask[:, 0], patch.mask[:, -1]])
        assert not edge.any(), "nothing is pasted up to the patch's border"
        np.testing.assert_array_equal(patch.crop_from_frame[:, :2], np.eye(2))


def test_lips_open_and_close_as_asked(renderer: MemoryRenderer, footage: list[U8], subject: Subject) -> None:
    """Closed lips asked over open ones and the other way round, found again by the tracker."""
    track = subject.track
    aperture = lip_aperture(track.landmarks_px)
    closed, opened = int(np.argmin(aperture[200:245])) + 200, int(np.argmax(aperture[200:245])) + 200
    maps = renderer.bank.geometry.aligner.maps(track.landmarks_px)
    tracker = TRACKERS.get("mediapipe")(max_faces=1, static=True)
    found = {}
    for name, own, wanted in (("close", opened, closed), ("open", closed, opened)):
        moved = apply(compose(invert(maps[own]), maps[wanted]), track.landmarks_px[wanted][MOUTH_JAW])
        renderer.reset()
        w = window(footage, track, slice(own, own + 1), moved[None])
        picture = shown(footage[own], next(iter(renderer.render(w))))
        found[name] = float(lip_aperture(to_68(tracker.detect(picture)[0][0])))
    tracker.close()
    width = aperture[opened] - aperture[closed]
    assert width > 5
    assert found["close"] < aperture[closed] + 0.25 * width
    assert found["open"] > aperture[opened] - 0.35 * width


def test_pixels_outside_the_region_stay(renderer: MemoryRenderer, footage: list[U8], subject: Subject) -> None:
    patch = next(iter(renderer.render(window(footage, subject.track, slice(210, 211)))))
    picture = shown(footage[210], patch)
    x, y = (-patch.crop_from_frame[:, 2]).astype(int)
    height, width = patch.mask.shape
    full = np.zeros(picture.shape[:2], np.float32)
    full[y : y + height, x : x + width] = patch.mask[: 512 - y, : 512 - x]
    np.testing.assert_array_equal(picture[full == 0], footage[210][full == 0])


def foreign_mouth(footage: list[U8], track: FaceTrack, t: int, donor: int, maps: F32) -> tuple[U8, F32]:
    """Frame t with the lips, chin pixels and mouth and jaw landmarks of another frame."""
    points = track.landmarks_px[t].copy()
    there = compose(invert(maps[t]), maps[donor])
    moved = MOUTH + JAW
    points[moved] = apply(there, track.landmarks_px[donor])[moved]
    both = np.concatenate([points[MOUTH], track.landmarks_px[t][MOUTH]])
    hull = np.zeros(footage[t].shape[:2], np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.round(both).astype(np.int32)), (255,))
    hull = cv2.dilate(hull, np.ones((9, 9), np.uint8))
    other = cv2.warpAffine(footage[donor], there, hull.shape[::-1], flags=cv2.INTER_CUBIC)
    return np.where(hull[..., None] > 0, other, footage[t]), points


def test_the_templates_own_mouth_does_not_leak(
    renderer: MemoryRenderer, footage: list[U8], subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is searched is blind to the template's mouth and jaw; the picture inside the lips nearly so.

    The template's jaw landmarks bend its own skin (`meet_jaw`) and its skin sets the light (`relight`), so
    the rest may differ by a little light, not by a shape.
    """
    track = subject.track
    maps = renderer.bank.geometry.aligner.maps(track.landmarks_px)
    aperture = lip_aperture(track.landmarks_px)
    frames, points = list(footage), track.landmarks_px.copy()
    for t in range(200, 215):
        donor = 60 + int(np.argmax(np.abs(aperture[60:190] - aperture[t])))
        frames[t], points[t] = foreign_mouth(footage, track, t, donor, maps)
    changed = replace(track, landmarks_px=points)
    target = track.landmarks_px[200:215][:, MOUTH_JAW]
    paths: list[np.ndarray] = []
    search = type(renderer._search).path
    monkeypatch.setattr(
        type(renderer._search), "path", lambda *a: paths.append(search(*a)) or paths[-1]  # type: ignore[func-returns-value]
    )  # fmt: skip
    results = []
    for given, about in ((footage, track), (frames, changed)):
        renderer.reset()
        w = window(given, about, slice(200, 215), target)
        results.append([shown(f, p) for f, p in zip(w.frames, renderer.render(w), strict=True)])
    np.testing.assert_array_equal(paths[0], paths[1])
    inner, planted = [], []
    for i, t in enumerate(range(200, 215)):
        lips = np.zeros(subject.size[::-1], np.uint8)
        cv2.fillConvexPoly(lips, cv2.convexHull(np.round(target[i][:20]).astype(np.int32)), (255,))
        inner.append(np.abs(results[0][i].astype(int) - results[1][i])[lips > 0].mean())
        planted.append(np.abs(footage[t].astype(int) - frames[t])[lips > 0].mean())
    assert np.mean(planted) > 10
    assert np.mean(inner) < 0.06 * np.mean(planted), "3 % when this was written"


def test_going_on_in_the_footages_order_is_free(renderer: MemoryRenderer, subject: Subject) -> None:
    """A remembered stretch asked for again is played again, as it was."""
    renderer.reset()
    bank = renderer.bank
    where = np.arange(40, 100)
    path = renderer._search.path(bank.shapes()[where], bank.pose_rad[where], 48)
    assert len(path) == 60
    np.testing.assert_array_equal(path[:48], where[:48])
    assert renderer._search.last == 87
    assert renderer._search.in_order(41, 42)
    assert not renderer._search.in_order(42, 41)


def test_the_past_is_final(renderer: MemoryRenderer, subject: Subject) -> None:
    """What was decided goes into the next window, and other windows decide the same, the frame after them too."""
    search = renderer._search
    shapes = apply(renderer.bank.geometry.aligner.maps(subject.track.landmarks_px), subject.track.landmarks_px)
    shapes, pose = shapes[200:245][:, MOUTH_JAW], subject.track.pose_rad[200:245]
    search.reset()
    whole = search.path(shapes, pose, 45)
    search.reset()
    for size in (15, 9, 1):
        search.reset()
        parts, following = [], []
        for at in range(0, 45, size):
            seen = search.path(
                shapes[at : at + size + renderer.lookahead], pose[at : at + size + renderer.lookahead], size
            )
            parts.append(seen[:size])
            following += [(at + size, int(seen[size]))] if at + size < 45 else []
        np.testing.assert_array_equal(np.concatenate(parts), whole)
        assert all(whole[t] == mouth for t, mouth in following)
    again = copy.copy(renderer)
    assert again._search.last == search.last
    again.reset()
    assert search.last is not None, "a copy has a path of its own"
    assert again.bank is renderer.bank


def test_it_comes_back_from_its_state(renderer: MemoryRenderer, footage: list[U8], subject: Subject) -> None:
    again = MemoryRenderer.from_state(*renderer.state())
    assert again.config == renderer.config
    for r in (renderer, again):
        r.reset()
    w = window(footage, subject.track, slice(200, 204))
    for a, b in zip(renderer.render(w), again.render(w), strict=True):
        np.testing.assert_array_equal(a.rgb8, b.rgb8)
        np.testing.assert_array_equal(a.mask, b.mask)


def test_a_damaged_picture_in_the_memory(renderer: MemoryRenderer) -> None:
    arrays, config = renderer.state()
    broken = MemoryRenderer.from_state(arrays | {"jpeg": np.zeros_like(arrays["jpeg"])}, config)
    with pytest.raises(CheckpointError, match=r"mouth 3 .* damaged.* retrain"):
        broken.bank.image(3)
    with pytest.raises(CheckpointError, match="not whole"):
        MemoryRenderer.from_state(arrays | {"jpeg": arrays["jpeg"][:-5]}, config)


def test_faces_at_the_edge_of_the_picture(subject: Subject, footage: list[U8]) -> None:
    """Footage that cuts the mouth off teaches nothing; a template that does is still rendered."""
    track = subject.track[:60]
    side = replace(track, landmarks_px=track.landmarks_px - np.float32([230, 0]))
    cut = [np.ascontiguousarray(f[:, 230:]) for f in footage[:60]]
    with pytest.raises(SubjectError, match="room around the head"):
        build_bank(enumerate(cut), side)
    renderer = MemoryRenderer(build_bank(enumerate(footage[:60]), track))
    patches = list(renderer.render(window(cut, side, slice(0, 3))))
    assert all(shown(f, p).shape == f.shape for f, p in zip(cut, patches, strict=False))


def test_a_bank_of_few_mouths(subject: Subject, footage: list[U8]) -> None:
    track = subject.track
    renderer = MemoryRenderer(build_bank([(5, footage[5]), (6, footage[6])], track))
    assert len(list(renderer.render(window(footage, track, slice(0, 4))))) == 4
