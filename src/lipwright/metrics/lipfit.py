"""Offset, fit and confidence from LipMatch's directions of lips and sound.

Like LSE (`metrics.lse`), every window of lips is compared with the windows of sound around it; unlike there only
windows that have sound at every shift count, so no zeros stand in for it, and each number has an interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError
from lipwright.metrics.bootstrap import Interval, block_frames, interval

REACH = 15
"""Frames of 1/25 s to either side."""
LEAST_WINDOWS = 75
"""Windows that must have sound at every shift: three seconds, so that there is an interval."""
RATE = 25
_LOCAL = 25
"""Windows over which the confidence over time is averaged."""
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class LipFit:
    """What LipMatch says of one stretch."""

    fit: float
    """Mean cosine of lips and sound at the best shift, -1 to 1."""
    confidence: float
    """`fit` less the median over shifts; about 0 for lips that have nothing to do with the sound."""
    offset_frames: float
    """Frames of 1/25 s by which the sound is late, between frames by a parabola."""
    curve: F64
    """(31,) mean cosine when the sound is taken k - 15 frames later than the lips."""
    over_time: F64
    """(N,) confidence of about a second around each window, at the common offset."""
    fit_interval: Interval | None
    confidence_interval: Interval | None
    offset_interval: Interval | None


def fits(lips: F32, sound: F32) -> F64:
    """(N, 31) cosines of (T, D) directions: row i is window i + 15, column k the sound k - 15 windows later."""
    n = len(lips) - 2 * REACH
    if lips.shape != sound.shape or n < 1:
        raise ShapeError("directions", (f"> {2 * REACH}", "D"), (*lips.shape, *sound.shape))
    middle = np.asarray(lips[REACH : REACH + n], np.float64)
    return np.stack([(middle * sound[k : k + n]).sum(axis=1) for k in range(2 * REACH + 1)], axis=1)


def lip_fit(table: NDArray[Any]) -> LipFit:
    """Scores of (N, 31) cosines from `fits`, window by window."""
    curve = table.mean(axis=0)
    best = int(np.argmax(curve))
    block = block_frames(RATE)
    return LipFit(
        float(curve[best]),
        float(_confidence(curve[None])[0]),
        float(_offset(curve[None])[0]),
        curve,
        uniform_filter1d(table[:, best] - np.median(table, axis=1), _LOCAL, mode="nearest"),
        interval(table, block, lambda means: means[:, best]),
        interval(table, block, _confidence),
        interval(table, block, _offset),
    )


def _confidence(curves: F64) -> F64:
    return np.asarray(curves.max(axis=1) - np.median(curves, axis=1), dtype=np.float64)


def _offset(curves: F64) -> F64:
    """Shift of the highest value of each curve, by a parabola through it and its neighbours."""
    best = np.clip(curves.argmax(axis=1), 1, 2 * REACH - 1)
    rows = np.arange(len(curves))
    before, top, after = (curves[rows, best + k] for k in (-1, 0, 1))
    bend = before - 2 * top + after
    step = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, -1), 0)
    return np.asarray(best - REACH + np.clip(step, -0.5, 0.5), dtype=np.float64)
