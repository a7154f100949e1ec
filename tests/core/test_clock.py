from __future__ import annotations

from fractions import Fraction as F

import pytest

from lipwright.core import clock


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (29.97, F(30000, 1001)),
        (23.976, F(24000, 1001)),
        (F(2997, 100), F(30000, 1001)),
        (25, F(25)),
        (59.94, F(60000, 1001)),
    ],
)
def test_broadcast_rates_are_exact(given: F | float, meant: F) -> None:
    assert clock.as_rate(given) == meant


@pytest.mark.parametrize("bad", [0, -25, 5000])
def test_impossible_rates_are_refused(bad: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        clock.as_rate(bad)


def test_frames_cover_samples() -> None:
    assert clock.sample_of(3) == 1920
    assert clock.n_frames(16_000) == 25
    assert clock.n_frames(16_001) == 26, "no speech is cut"
    assert clock.n_frames(0) == 0
    assert clock.sample_of(30, F(30000, 1001)) == 16016


def test_no_drift_over_an_hour_at_ntsc() -> None:
    fps = F(30000, 1001)
    frames = clock.n_frames(3600 * 16_000, fps)
    assert abs(F(frames) / fps - 3600) < 1 / fps


@pytest.mark.parametrize(("value", "nearest"), [(F(1, 2), 1), (F(3, 2), 2), (F(5, 2), 3), (F(-1, 2), 0), (F(7, 3), 2)])
def test_halves_round_up(value: F, nearest: int) -> None:
    assert clock.round_half_up(value) == nearest


def test_timecodes() -> None:
    assert clock.timecode(12.48) == "12.48 s"
    assert clock.timecode(F(1872, 10)) == "3:07.2"
