"""Whether the sound of footage is in sync, and by how much it is moved."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.subject.sound import Track
from lipwright.subject.sync import estimate_offset
from lipwright.subject.trace import Curves

NO_OFFSET: dict[str, Any] = {"offset_s": 0.0, "confidence": 0.0, "sure": False, "corrected": False}


def sound_offset(track: Track, curves: Curves, fps: Fraction, correct: bool) -> tuple[dict[str, Any], Fraction]:
    """What was found, JSON-ready, and the time by which the sound is read later than the pictures."""
    estimate = estimate_offset(curves.aperture_px[0], np.concatenate(list(track.blocks())), fps)
    corrected = bool(correct and estimate.sure and abs(estimate.offset_s) >= 1 / (2 * float(fps)))
    shift = Fraction(round(estimate.offset_s * SAMPLE_RATE), SAMPLE_RATE) if corrected else Fraction(0)
    found = {
        "offset_s": round(estimate.offset_s, 4),
        "confidence": round(estimate.confidence, 3),
        "sure": bool(estimate.sure),
        "corrected": corrected,
    }
    return found, shift
