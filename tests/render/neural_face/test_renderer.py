from __future__ import annotations

import copy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.face.morphable import drawn
from tests.render.neural_face.conftest import SMALL, Filmed

from lipwright.compose.paste import paste
from lipwright.core.contracts import Divided, FaceTrack, Local, Patch, Renderer, RenderWindow
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.core.ibug import RIGID
from lipwright.engines.engine import Engine
from lipwright.media.color import ColorTags
from lipwright.media.picture import Picture
from lipwright.render.finish import Finish
from lipwright.render.neural_face.build import build_generator
from lipwright.render.neural_face.data import FaceData
from lipwright.render.neural_face.renderer import NeuralFaceRenderer, View
from lipwright.render.translation.held_out import HeldOut


@pytest.fixture(scope="module")
def renderer(data: FaceData) -> NeuralFaceRenderer:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = build_generator(SMALL)
        for parameter in generator.parameters():  # as drawn it would be grey
            parameter.data += 0.05 * torch.randn_like(parameter)

    def draw(inputs: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return generator(inputs)

    residual = HeldOut(SMALL, data, lambda batch: batch, draw).residual(30)
    assert residual is not None  # whatever is drawn, its mean error is not the least
    return NeuralFaceRenderer(SMALL, generator, data.geometry, finish=Finish(residual=residual))


def window(filmed: Filmed, start: int, stop: int, ahead: int = 3) -> RenderWindow:
    end = min(stop + ahead, len(filmed.track))
    expression = filmed.fit.coefficients.expression[::-1]
    return RenderWindow(
        filmed.frames[start:stop], filmed.track[start:stop], expression[start:end], filmed.track[start:end]
    )


def test_it_is_a_renderer(renderer: NeuralFaceRenderer) -> None:
    assert isinstance(renderer, Renderer)
    assert isinstance(renderer, Divided)
    assert isinstance(renderer, Local)
    assert (renderer.accepts, renderer.lookahead) == ("expression", 3)


def test_any_chunking_gives_the_same_patches(renderer: NeuralFaceRenderer, filmed: Filmed) -> None:
    renderer.reset()
    whole = list(renderer.render(window(filmed, 0, 14)))
    for cuts in ([0, 1, 2, 5, 14], [0, 7, 8, 14]):
        other = copy.copy(renderer)
        other.reset()
        parts: list[Patch] = []
        for start, stop in pairwise(cuts):
            parts += other.render(window(filmed, start, stop))
        for a, b in zip(whole, parts, strict=True):
            np.testing.assert_array_equal(a.rgb8, b.rgb8)
            np.testing.assert_array_equal(a.mask, b.mask)
            np.testing.assert_array_equal(a.crop_from_frame, b.crop_from_frame)
    renderer.reset()
    backwards = list(renderer.tasks(window(filmed, 0, 14)))
    for a, task in reversed(list(zip(whole, backwards, strict=True))):
        np.testing.assert_array_equal(a.rgb8, task().rgb8)


def views(renderer: NeuralFaceRenderer, of: RenderWindow, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """What the network is shown of every frame of a window."""
    seen: list[np.ndarray] = []
    plain = NeuralFaceRenderer.inputs

    def spy(self: NeuralFaceRenderer, frame: np.ndarray, view: View) -> np.ndarray:
        seen.append(plain(self, frame, view))
        return seen[-1]

    monkeypatch.setattr(NeuralFaceRenderer, "inputs", spy)
    renderer.reset()
    list(renderer.render(of))
    monkeypatch.undo()
    return seen


def test_nothing_of_the_templates_lower_face_reaches_the_network(
    renderer: NeuralFaceRenderer, filmed: Filmed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other pixels where the face is drawn, another mouth and jaw in the track, another mesh: the same inputs."""
    given = window(filmed, 4, 8)
    first = views(renderer, given, monkeypatch)
    renderer.reset()
    patches = list(renderer.render(given))
    frames = []
    for frame, patch in zip(given.frames, patches, strict=True):
        inverse = np.linalg.inv(np.vstack([patch.crop_from_frame, [0, 0, 1]]))
        rows, columns = np.nonzero(patch.mask > 0)
        places = np.round(np.stack([columns, rows, np.ones(len(rows))]).T @ inverse[:2].T).astype(int)
        other = frame.copy()
        other[places[:, 1], places[:, 0]] = (255, 0, 255)
        assert (other != frame).any(2).sum() > 300
        frames.append(other)
    moved = given.lookahead_track.landmarks_px.copy()
    moved[:, np.setdiff1d(np.arange(68), RIGID)] += 11
    track = replace(given.lookahead_track, landmarks_px=moved, dense_px=0 * given.lookahead_track.dense_px)
    changed = RenderWindow(frames, track[: len(frames)], given.target, track)
    for a, b in zip(first, views(renderer, changed, monkeypatch), strict=True):
        np.testing.assert_array_equal(a, b)
    other = RenderWindow(given.frames, given.track, given.target + 1, given.lookahead_track)
    assert any(np.any(a != b) for a, b in zip(first, views(renderer, other, monkeypatch), strict=True))


def test_pixels_outside_the_mask_stay_bit_exact(renderer: NeuralFaceRenderer, filmed: Filmed) -> None:
    given = window(filmed, 0, 1)
    renderer.reset()
    patch = next(iter(renderer.render(given)))
    picture = Picture.of_rgb8(given.frames[0], ColorTags(), "yuv444p")
    made = paste(picture, patch).rgb8()
    left, top, right, bottom = renderer.footprint(given.track)[0]
    assert left >= -8
    same = np.ones(made.shape[:2], bool)
    same[max(top, 0) : bottom, max(left, 0) : right] = False
    before = picture.rgb8()
    np.testing.assert_array_equal(made[same], before[same])
    assert np.any(made != before)


def test_a_larger_template_gets_the_same_crop(renderer: NeuralFaceRenderer, filmed: Filmed) -> None:
    """The same person filmed at 20 times the size (3840 px): patches lie there, drawn as before."""
    track, scale = filmed.track[:2], 20
    points = (track.landmarks_px + 0.5) * scale - 0.5
    size = (drawn.SIZE[0] * scale, drawn.SIZE[1] * scale)
    large = FaceTrack(points, track.dense_px, track.confidence, track.pose_rad, size)
    frames = [f.repeat(scale, 0).repeat(scale, 1) for f in filmed.frames[:2]]
    target = filmed.fit.coefficients.expression[:2]
    renderer.reset()
    small = list(renderer.render(RenderWindow(filmed.frames[:2], track, target, track)))
    renderer.reset()
    for a, b in zip(small, renderer.render(RenderWindow(frames, large, target, large)), strict=True):
        assert b.rgb8.shape == a.rgb8.shape
        assert np.abs(a.rgb8.astype(int) - b.rgb8).mean() < 4  # pixels of the frame are blocks there
        corner = np.linalg.solve(b.crop_from_frame[:, :2], 32 - b.crop_from_frame[:, 2])
        there = np.linalg.solve(a.crop_from_frame[:, :2], 32 - a.crop_from_frame[:, 2])
        np.testing.assert_allclose(corner, (there + 0.5) * scale - 0.5, atol=0.5)


def test_wrong_shapes_are_named(renderer: NeuralFaceRenderer, filmed: Filmed) -> None:
    given = window(filmed, 0, 2)
    for wrong in (
        RenderWindow(given.frames, given.track, given.target[:, :2], given.lookahead_track),
        RenderWindow(given.frames, given.track[:1], given.target, given.lookahead_track),
        RenderWindow(given.frames, given.track, given.target[:1], given.lookahead_track[:1]),
    ):
        with pytest.raises(ShapeError):
            list(renderer.render(wrong))
    with pytest.raises(ConfigError, match="measured for 64 px"):
        NeuralFaceRenderer(replace(SMALL, size=128), renderer._generated.generator, renderer.geometry)


def test_what_is_saved_is_loaded(renderer: NeuralFaceRenderer, filmed: Filmed, tmp_path: Path) -> None:
    renderer.save(tmp_path / "r.safetensors")
    again = NeuralFaceRenderer.load(tmp_path / "r.safetensors")
    assert again.config == renderer.config
    assert again.finish.residual is not None
    renderer.reset()
    for a, b in zip(renderer.render(window(filmed, 0, 3)), again.render(window(filmed, 0, 3)), strict=True):
        np.testing.assert_array_equal(a.rgb8, b.rgb8)
    tensors, config = renderer.state()
    del tensors["generator.model.model.0.weight"]
    with pytest.raises(CheckpointError):
        NeuralFaceRenderer.from_state(tensors, config)
    with pytest.raises(CheckpointError, match="not a neural face renderer"):
        NeuralFaceRenderer.from_state(tensors, {})


@pytest.mark.slow
def test_openvino_draws_the_same(
    renderer: NeuralFaceRenderer, filmed: Filmed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("onnx", "onnxscript", "openvino"):
        pytest.importorskip(name, exc_type=ImportError)
    monkeypatch.setenv("LIPWRIGHT_CACHE", str(tmp_path))
    engine = Engine("openvino", "fp32")
    other = renderer.on(engine)
    for of in (renderer, other):
        of.reset()
    for a, b in zip(renderer.render(window(filmed, 0, 3)), other.render(window(filmed, 0, 3)), strict=True):
        assert np.abs(a.rgb8.astype(int) - b.rgb8).max() <= 1
        assert a.rgb8.std() > 3
    assert engine.notes == []
