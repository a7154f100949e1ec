"""Trends of made-up windows with known slopes and jumps, and of a voice that was stretched or cut."""

from __future__ import annotations

import numpy as np
import pytest
from tests.subject.test_sync import late, mouth, openings, voice

from lipwright.subject.drift import offset_trend
from lipwright.subject.sync import OffsetEstimate, offset_over_time


def windows(offsets: np.ndarray, sure: np.ndarray | None = None) -> list[tuple[float, OffsetEstimate]]:
    """Eight-second windows every four seconds."""
    good = np.ones(len(offsets), bool) if sure is None else sure
    return [(4.0 + 4 * i, OffsetEstimate(float(offsets[i]), 0.99, bool(good[i]))) for i in range(len(offsets))]


def jitter(n: int, seed: int = 0) -> np.ndarray:
    """Errors of overlapping windows, 9 ms each: neighbours share half of theirs."""
    steps = np.random.default_rng(seed).normal(0, 0.009, n + 1)
    return (steps[:-1] + steps[1:]) / np.sqrt(2)


def test_a_steady_offset() -> None:
    trend = offset_trend(windows(0.1 + jitter(40)))
    assert trend.kind == "steady"
    assert not trend.significant
    assert trend.windows == 40
    assert str(trend) == "the offset is steady"


def test_a_drift_has_its_slope() -> None:
    minutes = 4 * np.arange(40) / 60
    trend = offset_trend(windows(0.08 * minutes + jitter(40)))
    assert trend.kind == "drift"
    assert trend.slope_ms_per_min == pytest.approx(80, abs=3 * trend.slope_error_ms_per_min)
    assert trend.slope_error_ms_per_min < 5
    assert str(trend).startswith("the sound drifts by +")
    assert str(trend).endswith(" ms a minute")


def test_an_exact_line_is_found_exactly() -> None:
    trend = offset_trend(windows(-0.1 * 4 * np.arange(20) / 60))
    assert trend.slope_ms_per_min == pytest.approx(-100)
    assert trend.kind == "drift"


def test_a_jump_has_its_height_and_place() -> None:
    trend = offset_trend(windows(np.where(np.arange(40) < 25, 0.0, 0.12) + jitter(40)))
    assert trend.kind == "jump"
    assert trend.jump_ms == pytest.approx(120, abs=10)
    assert trend.jump_at_s == pytest.approx(4 + 4 * 24.5, abs=4)
    assert "jumps by +1" in str(trend)
    assert "1:42.0" in str(trend)


def test_wrong_windows_change_nothing() -> None:
    offsets = 0.05 + jitter(40)
    offsets[[3, 20, 37]] = -0.5, 0.55, -0.4
    assert offset_trend(windows(offsets)).kind == "steady"
    offsets = offsets + 0.08 * 4 * np.arange(40) / 60
    assert offset_trend(windows(offsets)).slope_ms_per_min == pytest.approx(80, abs=10)


def test_windows_that_are_not_sure_are_not_used() -> None:
    sure = np.arange(40) % 2 == 0
    trend = offset_trend(windows(np.where(sure, 0.0, 0.3), sure))
    assert (trend.kind, trend.windows) == ("steady", 20)
    assert offset_trend(windows(np.zeros(40), np.arange(40) < 5)).kind == "unknown"
    assert offset_trend([]).kind == "unknown"
    assert "too few" in str(offset_trend([]))


@pytest.mark.parametrize("n", [6, 10, 40])
def test_steady_offsets_hardly_ever_seem_to_change(n: int) -> None:
    kinds = [offset_trend(windows(jitter(n, seed))).kind for seed in range(100)]
    assert sum(kind != "steady" for kind in kinds) <= 2


def test_a_stretched_and_a_cut_voice() -> None:
    opening = openings(40, seed=6)
    face, sound = mouth(opening, 25), voice(opening)
    at = np.arange(len(sound))
    stretched = np.interp(at / 1.003, at, sound).astype(np.float32)
    drift = offset_trend(offset_over_time(face, stretched, 25))
    assert drift.kind == "drift"
    assert drift.slope_ms_per_min == pytest.approx(180, abs=25)
    half = len(sound) // 2
    cut = np.concatenate([sound[:half], late(sound, -0.16)[half:]])
    jump = offset_trend(offset_over_time(face, cut, 25))
    assert jump.kind == "jump"
    assert jump.jump_ms == pytest.approx(-160, abs=15)
    assert jump.jump_at_s == pytest.approx(20, abs=4)
    assert offset_trend(offset_over_time(face, sound, 25)).kind == "steady"
