"""What the tracker's noise alone would read in each landmark metric.

Landmarks are compared after the tracker's zero-lag smoothing, which lowers and colours the noise. The raw
noise is inferred from third differences of the smoothed mouth points and the smoothing's own impulse
response; the median (not the mean) of their squares is taken, because fast articulation lives in third
differences too and would count as noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import FaceTrack
from lipwright.core.ibug import BROWS, EYES, JAW_LINE, MOUTH, NOSE
from lipwright.face.smooth import JAW_WINDOW, LID_WINDOW, LIP_WINDOW, RIGID_WINDOW, smooth
from lipwright.metrics.steadiness import noise_distance

MEDIAN_OF_SQUARE = 0.4549
"""Median of the square of a standard normal variable."""

_GROUPS = (
    (MOUTH, LIP_WINDOW, 2),
    (JAW_LINE, JAW_WINDOW, 2),
    (EYES, LID_WINDOW, 2),
    ([*BROWS, *NOSE], RIGID_WINDOW, 3),
)
"""Points, window and order of the tracker's smoothing (`face.track`)."""


@dataclass(frozen=True)
class Noise:
    """Noise of smoothed mouth landmarks."""

    sigma_px: float
    """Standard deviation per coordinate."""
    step_px: float
    """Standard deviation per coordinate of its change from one frame to the next."""


def landmark_noise(track: FaceTrack, points: Sequence[int] = MOUTH, window: int = LIP_WINDOW, order: int = 2) -> Noise:
    """Noise of a track's mouth points in px; zeros for fewer than 4 frames in a row with a face.

    Other `points` need the window and order of their own smoothing.
    """
    response = _impulse_response(window, order)
    third = np.diff(track.landmarks_px[:, list(points)].astype(np.float64), n=3, axis=0)
    seen = track.present
    whole = seen[3:] & seen[2:-1] & seen[1:-2] & seen[:-3] if len(seen) > 3 else np.zeros(0, bool)
    if not whole.any():
        return Noise(0.0, 0.0)
    gain = float((np.diff(response, n=3) ** 2).sum())
    raw = np.sqrt(np.median(third[whole] ** 2) / MEDIAN_OF_SQUARE / gain)
    return Noise(float(raw * np.sqrt((response**2).sum())), float(raw * np.sqrt((np.diff(response) ** 2).sum())))


def face_noise_distance(track: FaceTrack) -> float:
    """Mean over all 68 points of the distance in px that noise of this track alone gives."""
    total = 0.0
    for points, window, order in _GROUPS:
        total += len(points) * noise_distance(landmark_noise(track, points, window, order).sigma_px)
    return total / sum(len(points) for points, _, _ in _GROUPS)


def _impulse_response(window: int, order: int) -> np.ndarray:
    impulse = np.zeros(8 * window + 1, np.float32)
    impulse[4 * window] = 1
    return smooth(impulse[:, None], window, order)[:, 0].astype(np.float64)
