"""A renderer scored alone: a perfect one scores as the real frames, a frozen or a blurred one is told apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from lipwright.cli.assets import persona_path
from lipwright.core.contracts import U8, FaceTrack, Patch, RenderWindow
from lipwright.core.errors import SubjectError
from lipwright.evaluate.rendered import held_out, rendered
from lipwright.persona.template import Template

COUNT = 30


@pytest.fixture(scope="module")
def subject() -> Any:
    """The bundled presenter as far as scoring looks at a subject; frames 4 to 30 are held out, the fourth is bad."""
    template = Template.load(persona_path("demo"))
    usable = np.ones(COUNT, bool)
    usable[4] = False
    track = template.track[:COUNT]
    track = FaceTrack(track.landmarks_px, track.dense_px, track.confidence, track.pose_rad, template.size, usable)
    frames = SimpleNamespace(pictures=lambda first, n: template.store.pictures(template.first + first, n))
    return SimpleNamespace(path=Path("drawn"), track=track, frames=frames, split=lambda name: range(4, COUNT))


class Copier:
    """Puts back what the template shows, changed by `change`; notes the windows it was given."""

    accepts = "landmarks"

    def __init__(self, change: Any, lookahead: int = 0) -> None:
        self.change, self.lookahead, self.windows = change, lookahead, list[tuple[int, int]]()

    def reset(self) -> None:
        self.windows.append((0, 0))

    def render(self, window: RenderWindow) -> Iterator[Patch]:
        self.windows.append((len(window.frames), len(window.target)))
        for frame in window.frames:
            mask = np.ones(frame.shape[:2], np.float32)
            yield Patch(self.change(frame), mask, np.eye(2, 3, dtype=np.float32))


def test_the_longest_good_stretch_is_held_out(subject: Any) -> None:
    assert held_out(subject) == (5, COUNT)
    nothing = SimpleNamespace(path=Path("none"), track=subject.track, split=lambda name: range(4, 7))
    with pytest.raises(SubjectError, match="3 consecutive"):
        held_out(nothing)


def test_real_frames_score_as_real(subject: Any) -> None:
    renderer = Copier(lambda frame: frame, lookahead=2)
    found = rendered(renderer, subject)
    assert renderer.windows == [(0, 0), (25, 25)], "fewer frames ahead are given at the end"
    assert found.scores["frames"] == COUNT - 5
    assert found.scores["mouth_psnr_db"] > 45, "the colours go to the planes and back"
    for name in ("mouth_ssim", "full_ssim", "mouth_sharpness", "mouth_jitter"):
        assert found.scores[name] == pytest.approx(1, abs=0.02), name
    assert found.sheet.ndim == found.strip.ndim == 3


def test_a_frozen_and_a_blurred_mouth_are_told_apart(subject: Any) -> None:
    first: list[U8] = []

    def freeze(frame: U8) -> U8:
        first.append(frame)
        return first[0]

    frozen = rendered(Copier(freeze), subject).scores
    soft = rendered(Copier(lambda f: np.asarray(cv2.GaussianBlur(f, (0, 0), 2), np.uint8)), subject).scores
    assert frozen["mouth_jitter"] < 0.6
    assert frozen["mouth_sharpness"] > 0.5
    assert soft["mouth_sharpness"] < 0.2
    assert soft["mouth_ssim"] > frozen["mouth_ssim"]
