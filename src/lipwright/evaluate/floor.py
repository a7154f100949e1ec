"""What the tracker's noise alone would read in each landmark metric.

Landmarks are compared after the tracker's zero-lag smoothing, which lowers and colours the noise. The raw
noise is inferred from third differences of the smoothed mouth points and the smoothing's own impulse
response; the median (not the mean) of their squares is taken, because fast articulation lives in third
differences too and would count as noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import FaceTrack
from lipwright.core.ibug import MOUTH
from lipwright.face.smooth import LIP_WINDOW, smooth

MEDIAN_OF_SQUARE = 0.4549
"""Median of the square of a standard normal variable."""


@dataclass(frozen=True)
class Noise:
    """Noise of smoothed mouth landmarks."""

    sigma_px: float
    """Standard deviation per coordinate."""
    step_px: float
    """Standard deviation per coordinate of its change from one frame to the next."""


def landmark_noise(track: FaceTrack) -> Noise:
    """Noise of a track's mouth points in px; zeros for fewer than 4 frames in a row with a face."""
    response = _impulse_response()
    third = np.diff(track.landmarks_px[:, MOUTH].astype(np.float64), n=3, axis=0)
    seen = track.present
    whole = seen[3:] & seen[2:-1] & seen[1:-2] & seen[:-3] if len(seen) > 3 else np.zeros(0, bool)
    if not whole.any():
        return Noise(0.0, 0.0)
    gain = float((np.diff(response, n=3) ** 2).sum())
    raw = np.sqrt(np.median(third[whole] ** 2) / MEDIAN_OF_SQUARE / gain)
    return Noise(float(raw * np.sqrt((response**2).sum())), float(raw * np.sqrt((np.diff(response) ** 2).sum())))


def _impulse_response() -> np.ndarray:
    impulse = np.zeros(8 * LIP_WINDOW + 1, np.float32)
    impulse[4 * LIP_WINDOW] = 1
    return smooth(impulse[:, None], LIP_WINDOW)[:, 0].astype(np.float64)
