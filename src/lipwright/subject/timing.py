"""Whether the sound of footage is in sync, whether it drifts, and by how much it is moved."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import SAMPLE_RATE
from lipwright.subject.drift import offset_trend
from lipwright.subject.sound import Track
from lipwright.subject.sync import LevelMeter, estimate_from_levels, over_time_from_levels

CORRECT_FROM_S = 0.04
"""Single estimates are good to about a frame: smaller offsets are more often the estimate's than the footage's."""

NO_OFFSET: dict[str, Any] = {
    "offset_s": 0.0,
    "confidence": 0.0,
    "sure": False,
    "corrected": False,
    "words": "the sound was not looked at",
    "trend": "unknown",
    "trend_words": "the sound was not looked at",
    "drift_ms_per_min": 0.0,
}
"""What is said of footage whose sound was not looked at."""


def sound_offset(
    track: Track, mouth: NDArray[Any], good: NDArray[np.bool_], fps: Fraction, correct: bool
) -> tuple[dict[str, Any], Fraction]:
    """What was found, JSON-ready, and the time by which the sound is read later than the pictures.

    Args:
        mouth: (T, 68, 2) landmarks, may be memory of a file.
        good: (T,) whether the mouth can be seen.
        correct: whether a sure and steady offset of `CORRECT_FROM_S` or more is to be taken out.
    """
    meter = LevelMeter(SAMPLE_RATE)
    for block in track.blocks():
        meter.add(block)
    levels = meter.levels()
    estimate = estimate_from_levels(mouth, levels, fps, good)
    trend = offset_trend(over_time_from_levels(mouth, levels, fps, good=good))
    steady = trend.kind not in ("drift", "jump")  # one shift would only move the error elsewhere
    corrected = bool(correct and estimate.sure and steady and abs(estimate.offset_s) >= CORRECT_FROM_S)
    shift = Fraction(round(estimate.offset_s * SAMPLE_RATE), SAMPLE_RATE) if corrected else Fraction(0)
    found = {
        "offset_s": round(estimate.offset_s, 4),
        "confidence": round(estimate.confidence, 3),
        "sure": bool(estimate.sure),
        "corrected": corrected,
        "words": str(estimate),
        "trend": trend.kind,
        "trend_words": str(trend),
        "drift_ms_per_min": round(trend.slope_ms_per_min, 1) if trend.kind == "drift" else 0.0,
    }
    return found, shift
