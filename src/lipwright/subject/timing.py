"""Whether the sound of footage is in sync, whether it drifts, and by how much it is moved."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import SAMPLE_RATE
from lipwright.subject.sound import Track
from lipwright.subject.sync import LevelMeter, OffsetEstimate, estimate_from_levels, over_time_from_levels
from lipwright.subject.trace import Chosen, Curves

NO_OFFSET: dict[str, Any] = {
    "offset_s": 0.0,
    "confidence": 0.0,
    "sure": False,
    "corrected": False,
    "drift_s_per_min": None,
}
"""What is said of footage whose sound was not looked at."""
_WINDOW_S, _STEP_S = 20.0, 10.0
_LEAST_WINDOWS = 6
_LEAST_DRIFT_S = 0.04
"""Less from beginning to end is not seen by anybody and not told from noise here."""


def sound_offset(
    track: Track, chosen: Chosen, curves: Curves, fps: Fraction, correct: bool
) -> tuple[dict[str, Any], Fraction]:
    """What was found, JSON-ready, and the time by which the sound is read later than the pictures."""
    meter = LevelMeter(SAMPLE_RATE)
    for block in track.blocks():
        meter.add(block)
    levels = meter.levels()
    estimate = estimate_from_levels(curves.lips, levels, fps, chosen.good)
    windows = over_time_from_levels(curves.lips, levels, fps, _WINDOW_S, _STEP_S, chosen.good)
    corrected = bool(correct and estimate.sure and abs(estimate.offset_s) >= 1 / (2 * float(fps)))
    shift = Fraction(round(estimate.offset_s * SAMPLE_RATE), SAMPLE_RATE) if corrected else Fraction(0)
    found = {
        "offset_s": round(estimate.offset_s, 4),
        "confidence": round(estimate.confidence, 3),
        "sure": bool(estimate.sure),
        "corrected": corrected,
        "drift_s_per_min": drift(windows),
    }
    return found, shift


def drift(windows: list[tuple[float, OffsetEstimate]]) -> float | None:
    """Seconds per minute by which the sound falls behind; None when there is none or too little to tell.

    The median slope between all pairs of sure windows (Theil 1950, Sen 1968), claimed when it makes more than
    `_LEAST_DRIFT_S` from the first to the last of them and more than three times what the windows scatter.
    """
    sure = np.array([(at, e.offset_s) for at, e in windows if e.sure]).reshape(-1, 2)
    if len(sure) < _LEAST_WINDOWS:
        return None
    slope = _median_slope(sure)
    span = float(np.ptp(sure[:, 0]))
    rest = sure[:, 1] - slope * sure[:, 0]
    scatter = float(np.median(np.abs(rest - np.median(rest))))
    claimed = abs(slope) * span >= max(_LEAST_DRIFT_S, 3 * scatter)
    return round(60 * slope, 4) if claimed else None


def _median_slope(points: NDArray[np.float64]) -> float:
    some = points[np.linspace(0, len(points) - 1, min(len(points), 200)).round().astype(int)]
    first, second = np.triu_indices(len(some), 1)
    return float(np.median((some[second, 1] - some[first, 1]) / (some[second, 0] - some[first, 0])))
