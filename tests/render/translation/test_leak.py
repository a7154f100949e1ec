"""No network input can tell the template's own mouth: pixels and landmarks replaced, every input bit-identical."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lipwright.cli.assets import persona_path
from lipwright.core.contracts import F32, U8, FaceTrack, RenderWindow
from lipwright.core.ibug import MOUTH, MOUTH_JAW
from lipwright.face.align import apply, invert
from lipwright.persona.template import Template
from lipwright.render.translation.config import PRESETS, TranslationConfig, preset
from lipwright.render.translation.crops import Crops
from lipwright.render.translation.data import TranslationData
from lipwright.render.translation.geometry import TranslationGeometry
from lipwright.render.translation.renderer import TranslationRenderer

HIDDEN = [*MOUTH, *range(3, 14)]
COUNT = 2


class Recorder(nn.Module):
    """Stands for a generator: keeps what it is shown and answers with a picture that depends on all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def __deepcopy__(self, memo: Any) -> Recorder:
        return self  # the renderer runs a copy; what it is shown must be found here

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.clone())
        return torch.tanh(x.mean(1, keepdim=True) * torch.tensor([1.0, -2.0, 3.0])[:, None, None])


@pytest.fixture(scope="module")
def presenter() -> tuple[U8, FaceTrack, FaceTrack]:
    """Frames that the envelope has not seen, their track, and the track it is fitted on."""
    template = Template.load(persona_path("demo"))
    later = np.linspace(len(template.track) * 2 // 3, len(template.track) - 1, COUNT).astype(int)
    frames = np.stack([template.store.frame(template.first + int(i)) for i in later])
    return frames, template.track[later], template.track[: len(template.track) // 2]


@pytest.fixture
def noise(person: Any) -> tuple[U8, FaceTrack, FaceTrack]:
    """Random pictures with a moving face."""
    track = person.track()
    frames = np.random.default_rng(5).integers(0, 256, (COUNT, *person.frames.shape[1:])).astype(np.uint8)
    return frames, track[np.arange(3, 3 + 10 * COUNT, 10)], track


def inputs_of(renderer: TranslationRenderer, frames: U8, track: FaceTrack, target: F32) -> list[Tensor]:
    recorder: Any = renderer._generated.network
    recorder.seen = []
    renderer.reset()
    assert len(list(renderer.render(RenderWindow(frames, track, target, track)))) == len(frames)
    return list(recorder.seen)


def replaced(frames: U8, track: FaceTrack, hulls: list[F32], maps: F32) -> tuple[U8, FaceTrack]:
    """Other mouths and jaws: landmarks 3 to 13 and 48 to 67, every pixel under them and in the hull."""
    rng = np.random.default_rng(0)
    landmarks, dense = track.landmarks_px.copy(), track.dense_px + rng.normal(0, 5, track.dense_px.shape)
    landmarks[:, HIDDEN] += rng.normal(0, 8, (len(track), len(HIDDEN), 2))
    changed = frames.copy()
    for t, hull in enumerate(hulls):
        inside = np.zeros(frames.shape[1:3], np.uint8)
        own = cv2.convexHull(track.landmarks_px[t, HIDDEN].astype(np.float32))[:, 0]
        for polygon in (own, apply(invert(maps[t]), hull)):
            cv2.fillConvexPoly(inside, np.round(polygon * 16).astype(np.int32), (255,), cv2.LINE_8, 4)
        assert (inside > 0).sum() > 500
        changed[t][inside > 0] = rng.integers(0, 256, (int((inside > 0).sum()), 3))
    return changed, replace(track, landmarks_px=landmarks, dense_px=dense.astype(np.float32))


def check(config: TranslationConfig, material: tuple[U8, FaceTrack, FaceTrack]) -> None:
    frames, track, known = material
    geometry = TranslationGeometry.fit(known.landmarks_px, known.pose_rad, config.mode, config.size)
    renderer = TranslationRenderer(replace(config, bf16=False), Recorder(), geometry)
    target = track.landmarks_px[:, MOUTH_JAW] + np.float32(1)
    before = inputs_of(renderer, frames, track, target)
    changed, other = replaced(frames, track, geometry.hulls(track.pose_rad), geometry.crop_maps(track.landmarks_px))
    after = inputs_of(renderer, changed, other, target)
    assert before[0].shape[1] == config.input_channels
    assert [torch.equal(a, b) for a, b in zip(before, after, strict=True)] == [True] * len(before)
    moved = inputs_of(renderer, frames, track, target + np.float32(3))
    assert not any(torch.equal(a, b) for a, b in zip(before, moved, strict=True)), "the wanted landmarks are seen"


@pytest.mark.parametrize("edges", [True, False])
@pytest.mark.parametrize("temporal", [True, False])
@pytest.mark.parametrize("mode", ["sewn", "full-face"])
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_renderers_cannot_tell_the_presenters_own_mouth(
    presenter: Any, name: str, mode: str, temporal: bool, edges: bool
) -> None:
    check(replace(preset(name, mode), temporal_inputs=temporal, edges=edges), presenter)


@pytest.mark.parametrize("temporal", [True, False])
@pytest.mark.parametrize("mode", ["sewn", "full-face"])
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_renderers_cannot_tell_the_mouth_in_random_pictures(noise: Any, name: str, mode: str, temporal: bool) -> None:
    check(replace(preset(name, mode), temporal_inputs=temporal), noise)


@pytest.mark.parametrize("temporal", [True, False])
@pytest.mark.parametrize("mode", ["sewn", "full-face"])
def test_training_samples_cannot_tell_the_surroundings_own_mouth(person: Any, mode: str, temporal: bool) -> None:
    """Frame j lends its surroundings: another mouth and jaw in it leave the sample's inputs as they are."""
    config = replace(preset("draft", mode), size=96, temporal_inputs=temporal)
    train, held = np.arange(40), np.arange(40, 48)
    data = TranslationData.from_frames(person.frames, person.landmarks, person.pose, config, train, held)
    pictures, landmarks = [data.crops[i] for i in range(len(data.crops))], data.landmarks.copy()
    rng = np.random.default_rng(1)
    lending = [28, 29, 30]
    for j in lending:
        landmarks[j, HIDDEN] += rng.normal(0, 8, (len(HIDDEN), 2))
        inside = np.zeros((96, 96), np.uint8)
        hull = data.geometry.hulls(data.pose_rad[j : j + 1])[0]
        cv2.fillConvexPoly(inside, np.round(hull * 16).astype(np.int32), (255,), cv2.LINE_8, 4)
        pictures[j][inside > 0] = rng.integers(0, 256, (int((inside > 0).sum()), 3))
    other = replace(data, crops=Crops.of(pictures, 96), landmarks=landmarks)
    points = list(data.landmarks[1:5])
    a, b = (d._consecutive([1, 2, 3], lending, points, config, change_nothing()) for d in (data, other))
    for x, y in zip(a, b, strict=True):
        assert np.array_equal(x[0], y[0])
        assert np.array_equal(x[5], y[5]) or not temporal, "what is fed back is not shaped by the lender's jaw"


def change_nothing() -> Any:
    from lipwright.render.translation.data import _Change

    return _Change()
