"""The renderer behind its contract: patches in order, no leak, same patches in any chunks, exact saving."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from lipwright.core.checkpoint import save_tensors
from lipwright.core.contracts import Patch, Renderer, RenderWindow
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.core.ibug import MOUTH, MOUTH_JAW
from lipwright.face.align import apply, invert
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.geometry import TranslationGeometry
from lipwright.render.translation.networks import build_generator
from lipwright.render.translation.renderer import TranslationRenderer

MODES = ["sewn", "full-face"]


def make_renderer(person: Any, mode: str) -> TranslationRenderer:
    config = TranslationConfig(mode=mode, size=96, ngf=4, n_downs=2, n_blocks=1)
    geometry = TranslationGeometry.fit(person.landmarks, person.pose, mode, config.size)
    torch.manual_seed(4)
    return TranslationRenderer(config, build_generator(config), geometry)


def make_window(person: Any, where: slice) -> RenderWindow:
    track = person.track()[where]
    return RenderWindow(person.frames[where], track, track.landmarks_px[:, MOUTH_JAW], track)


def same(a: Patch, b: Patch) -> bool:
    pairs = ((a.rgb8, b.rgb8), (a.mask, b.mask), (a.crop_from_frame, b.crop_from_frame))
    return all(np.array_equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("mode", MODES)
def test_patches_fit_the_contract_whatever_the_chunks(person: Any, mode: str) -> None:
    renderer = make_renderer(person, mode)
    assert isinstance(renderer, Renderer)
    whole = list(renderer.render(make_window(person, slice(0, 6))))
    assert len(whole) == 6
    for patch in whole:
        assert patch.rgb8.dtype == np.uint8
        assert patch.mask.shape == patch.rgb8.shape[:2]
        assert patch.mask.min() == 0
        assert patch.mask.max() == pytest.approx(1)
        if mode == "sewn":  # on the frame's own grid, of any size
            np.testing.assert_array_equal(patch.crop_from_frame[:, :2], np.eye(2))
        else:
            assert patch.mask.shape == (96, 96)
        assert patch.crop_from_frame.shape == (2, 3)
    pieces = [make_window(person, slice(a, b)) for a, b in ((0, 1), (1, 4), (4, 6))]
    parts = [patch for piece in pieces for patch in renderer.render(piece)]
    assert all(same(a, b) for a, b in zip(whole, parts, strict=True))


@pytest.mark.parametrize("mode", MODES)
def test_the_templates_own_mouth_and_jaw_change_nothing(person: Any, mode: str) -> None:
    """Landmarks 3 to 13 and 48 to 67 and all pixels of the hull replaced: inputs stay bit-identical."""
    renderer = make_renderer(person, mode)
    rng = np.random.default_rng(0)
    chosen = np.arange(0, 48, 5)
    landmarks, pose = person.landmarks[chosen], person.pose[chosen]
    target = landmarks[:, MOUTH_JAW] + 1
    frames = person.frames[chosen]
    before = renderer.prepare(frames, landmarks, pose, target)
    other = landmarks.copy()
    moved = [*range(3, 14), *MOUTH]
    other[:, moved] += rng.normal(0, 8, (len(chosen), len(moved), 2))
    back = invert(renderer.geometry.crop_maps(landmarks))
    changed = frames.copy()
    for frame, crop_hull, affine in zip(changed, renderer.geometry.hulls(pose), back, strict=True):
        hull = apply(affine, crop_hull)
        inside = np.zeros(frame.shape[:2], np.uint8)
        cv2.fillConvexPoly(inside, np.round(hull * 16).astype(np.int32), (255,), cv2.LINE_8, 4)
        frame[inside > 0] = rng.integers(0, 256, (int((inside > 0).sum()), 3))
        assert (inside > 0).sum() > 500
    after = renderer.prepare(changed, other, pose, target)
    assert np.array_equal(before[0], after[0])
    assert np.array_equal(before[2], after[2])


def test_wanted_landmarks_do_change_the_picture(person: Any) -> None:
    renderer = make_renderer(person, "sewn")
    window = make_window(person, slice(0, 1))
    shifted = replace(window, target=window.target + np.float32(4))
    a, b = (next(iter(renderer.render(w))) for w in (window, shifted))
    assert np.any(a.rgb8 != b.rgb8)
    assert np.array_equal(a.crop_from_frame, b.crop_from_frame)


def test_bf16_stays_close_to_float32(person: Any) -> None:
    """Equal where the processor has no bfloat16 of its own, a few grey levels apart where it has."""
    full = make_renderer(person, "sewn")
    tensors, config = full.state()
    half = TranslationRenderer.from_state(tensors, config | {"bf16": True})
    window = make_window(person, slice(0, 2))
    for a, b in zip(full.render(window), half.render(window), strict=True):
        difference = np.abs(a.rgb8.astype(int) - b.rgb8)
        assert difference.mean() < 2
        assert np.percentile(difference, 99) < 10


@pytest.mark.parametrize("mode", MODES)
def test_saved_and_loaded_renders_the_same_bits(person: Any, mode: str, tmp_path: Path) -> None:
    renderer = make_renderer(person, mode)
    renderer.save(tmp_path / "renderer.safetensors")
    again = TranslationRenderer.load(tmp_path / "renderer.safetensors")
    assert again.config == renderer.config
    window = make_window(person, slice(3, 5))
    assert all(same(a, b) for a, b in zip(renderer.render(window), again.render(window), strict=True))


def test_weights_of_another_model_are_refused(person: Any, tmp_path: Path) -> None:
    tensors, config = make_renderer(person, "sewn").state()
    path = tmp_path / "renderer.safetensors"
    save_tensors(path, tensors, config | {"ngf": 8})
    with pytest.raises(CheckpointError, match="another model"):
        TranslationRenderer.load(path)
    save_tensors(path, tensors, config | {"colour": 1})
    with pytest.raises(ConfigError, match="colour"):
        TranslationRenderer.load(path)


def test_disagreeing_shapes_are_named(person: Any) -> None:
    renderer = make_renderer(person, "sewn")
    window = make_window(person, slice(0, 3))
    with pytest.raises(ShapeError, match="target"):
        list(renderer.render(replace(window, target=window.target[:2])))
    with pytest.raises(ShapeError, match="track"):
        list(renderer.render(replace(window, track=window.track[:2])))
    with pytest.raises(ConfigError, match="96 px"):
        TranslationRenderer(replace(renderer.config, size=128), torch.nn.Identity(), renderer.geometry)
