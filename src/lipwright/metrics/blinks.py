"""Blinks, from the openness of the eyes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import percentile_filter

BASE_S = 3.0
"""Length of the stretch whose upper quartile counts as open eyes, so that squints and head turns pass."""
CLOSED_SHARE = 0.7
"""A blink falls below this share of open. Trackers smooth over a closed lid, so it does not reach 0."""
LONGEST_S = 0.6
"""Eyes closed for longer are closed, not blinking."""
APART_S = 0.1
"""Dips nearer to each other are one blink."""


def eye_openness(landmarks_px: NDArray[Any]) -> NDArray[np.float64]:
    """(T,) mean eye aspect ratio of (T, 68, 2) landmarks: lid distance over eye width.

    Source: Soukupová and Čech 2016, equation 1.
    """
    points = np.asarray(landmarks_px, dtype=np.float64)

    def gap(a: int, b: int) -> NDArray[np.float64]:
        return np.asarray(np.linalg.norm(points[:, a] - points[:, b], axis=-1), dtype=np.float64)

    eyes = [(gap(e + 1, e + 5) + gap(e + 2, e + 4)) / np.maximum(2 * gap(e, e + 3), 1e-6) for e in (36, 42)]
    return np.asarray((eyes[0] + eyes[1]) / 2, dtype=np.float64)


def blinks(openness: NDArray[Any], fps: float) -> list[int]:
    """Frames at which the eyes are most closed, one for each blink."""
    curve = np.asarray(openness, dtype=np.float64)
    if len(curve) < 3:
        return []
    base = percentile_filter(curve, 75, size=max(3, round(BASE_S * fps)), mode="nearest")
    closed = curve < CLOSED_SHARE * base
    edges = np.flatnonzero(np.diff(np.concatenate([[0], closed.astype(np.int8), [0]])))
    dips: list[tuple[int, int]] = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if dips and start - dips[-1][1] < APART_S * fps:
            dips[-1] = dips[-1][0], stop
        else:
            dips.append((start, stop))
    return [a + int(np.argmin(curve[a:b])) for a, b in dips if b - a <= LONGEST_S * fps]


def blink_rate(openness: NDArray[Any], fps: float) -> float:
    """Blinks per minute; nan for no frames. People who speak blink about 10 to 30 times a minute."""
    return 60.0 * fps * len(blinks(openness, fps)) / len(openness) if len(openness) else float("nan")
