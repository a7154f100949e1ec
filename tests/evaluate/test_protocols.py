"""Protocols `self` and `cross` with speakers whose faults are known."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import FootageError
from lipwright.evaluate.protocols import run_cross, run_self

from .drawn import FPS, MarkerTracker, Talk, write


class Speaker:
    """Draws what a persona would: a mouth for the samples on the template's head."""

    def __init__(self, talk: Talk, leak: float = 0.0, size: float = 1.0) -> None:
        self.talk, self.leak, self.size = talk, leak, size
        self.calls: list[tuple[int, Fraction, Fraction]] = []

    def __call__(self, samples: np.ndarray, template_path: Path, start: Fraction, end: Fraction, out: Path) -> None:
        self.calls.append((len(samples), start, end))
        frames = slice(int(start * FPS), int(end * FPS))
        spoken = self._heights_of(samples)
        own = self.talk.heights[frames]
        heights = self.size * ((1 - self.leak) * spoken + self.leak * own)
        write(out, heights, self.talk.noses[frames], samples)

    def _heights_of(self, samples: np.ndarray) -> np.ndarray:
        """The drawn heights whose sound this is: found by looking the samples up in the talk."""
        n = len(samples) // 640
        distance = [
            np.abs(self.talk.sound[s * 640 : (s + n) * 640] - samples[: n * 640]).mean()
            for s in range(len(self.talk.heights) - n + 1)
        ]
        first = int(np.argmin(distance))
        return self.talk.heights[first : first + n]


def test_self_with_a_perfect_speaker(talk: Talk, tmp_path: Path) -> None:
    speaker = Speaker(talk)
    result = run_self(speaker, talk.path, 2, 4, tmp_path / "out.mp4", make_tracker=MarkerTracker)
    assert speaker.calls == [(32_000, 2, 4)]
    assert (tmp_path / "out.mp4").is_file()
    assert result.protocol["name"] == "self"
    assert (result["lips.correlation"].video or 0) > 0.99
    assert (result["mouth.psnr"].video or 0) > 35
    assert (result["mouth.psnr"].mean or 99) < 25


def test_cross_with_a_perfect_speaker(talk: Talk) -> None:
    result = run_cross(Speaker(talk), talk.path, (2, 4), (0, 2), make_tracker=MarkerTracker)
    assert result.protocol["name"] == "cross"
    assert (result["lips.correlation"].video or 0) > 0.99
    assert result["lips.amplitude"].video == pytest.approx(1, abs=0.05)
    shape = result["shape.centred"]
    assert (shape.video or 9) < 0.3 < (shape.mean or 0)
    leak = result["lips.template_leak"]
    assert leak.video == pytest.approx(leak.real, abs=0.05)  # what two unrelated stretches share by chance
    assert set(result.pictures) == {
        "Sound source, template, facial map (tracked on the result), result",
        "Consecutive mouths: sound source above result",
    }


def test_cross_catches_a_mouth_that_follows_the_template(talk: Talk) -> None:
    leaks = []
    for leak in (0.0, 0.5, 1.0):
        result = run_cross(Speaker(talk, leak), talk.path, (2, 4), (0, 2), make_tracker=MarkerTracker)
        leaks.append(result["lips.template_leak"].video or 0)
    assert leaks[0] < leaks[1] < leaks[2]
    assert leaks[2] > 0.99
    assert abs(result["lips.correlation"].video or 9) < 0.6


def test_cross_catches_timid_articulation(talk: Talk) -> None:
    result = run_cross(Speaker(talk, size=0.6), talk.path, (2, 4), (0, 2), make_tracker=MarkerTracker)
    assert result["lips.amplitude"].video == pytest.approx(0.6, abs=0.06)


def test_stretches_must_fit(talk: Talk, tmp_path: Path) -> None:
    speaker = Speaker(talk)
    with pytest.raises(FootageError, match="differ in length"):
        run_cross(speaker, talk.path, (2, 4), (0, 1), make_tracker=MarkerTracker)
    with pytest.raises(FootageError, match="start < end"):
        run_self(speaker, talk.path, 3, 3, make_tracker=MarkerTracker)
    mute = write(tmp_path / "mute.mp4", talk.heights[:50], talk.noses[:50], None)
    with pytest.raises(FootageError, match="has no sound"):
        run_self(speaker, mute, 0, 2, make_tracker=MarkerTracker)
    assert speaker.calls == []
