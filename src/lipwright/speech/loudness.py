"""How loud speech is against the speech around it: 0 at the noise floor, 1 as loud as it gets; any microphone gain.

Log energy in steps of 10 ms; loud is the 25th loudest step within 6 s around, quiet 30 dB below it or the noise
floor where that is higher. Both slide with time, so the value of a moment never depends on how speech is cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import percentile_filter, uniform_filter1d

from lipwright.speech.hum import without_hum
from lipwright.speech.source import SampleSource

F64 = NDArray[np.float64]

STEP = 160
"""Samples."""
_AROUND = 600
"""Steps on either side that say what is loud and what is noise."""
_WARM_UP = 50
"""Steps before, in which the filter forgets where it began."""
_SMOOTH = np.hanning(11)[1:-1] / np.hanning(11)[1:-1].sum()
_TAIL = len(_SMOOTH) // 2
_RANGE_DB, _OVER_FLOOR_DB, _LEAST_RANGE_DB = 30.0, 3.0, 10.0
_NOTHING_DB = -100.0
_THIN = 4
"""Every fourth step is enough for what is loud over 12 s."""


def loudness(source: SampleSource, first: int, count: int, known: int | None = None) -> F64:
    """(count,) loudness in [0, 1] of the steps of 10 ms from `first`, which may be negative.

    The step k is centred on sample 160·k + 80; `first` must be a multiple of 4 (`_THIN`) for one grid. With `known`,
    nothing is read from that step on, and the last step before it stands for those after it.
    """
    before = _AROUND + _WARM_UP
    steps = count + before + _AROUND
    if known is not None:
        steps = min(steps, max(known - first + before, 1))
    samples = source((first - before) * STEP, (first - before + steps) * STEP).astype(np.float64)
    power = (without_hum(samples).reshape(steps, STEP) ** 2).mean(axis=1)
    power = np.convolve(power, _SMOOTH, "same")[_WARM_UP:]
    if known is not None:
        power[-_TAIL:] = power[max(len(power) - _TAIL - 1, 0)]  # smoothed with nothing
    level = 10 * np.log10(np.maximum(power, 10 ** (_NOTHING_DB / 10)))
    loud, floor = (_slow(level, p) for p in (96, 5))
    quiet = np.minimum(np.maximum(loud - _RANGE_DB, floor + _OVER_FLOOR_DB), loud - _LEAST_RANGE_DB)
    shown = np.clip((level - quiet) / (loud - quiet), 0, 1) * (level > _NOTHING_DB)
    found = shown[_AROUND : _AROUND + count]
    missing = count - len(found)
    return np.concatenate([found, np.full(missing, shown[-1])]) if missing > 0 else np.asarray(found)


def _slow(level: F64, percentile: float) -> F64:
    """A percentile of the 12 s around each step, moving gently."""
    thin = level[::_THIN]
    size = 2 * _AROUND // _THIN + 1
    coarse = uniform_filter1d(percentile_filter(thin, percentile, size=size, mode="nearest"), 25, mode="nearest")
    return np.interp(np.arange(len(level)), np.arange(len(thin)) * _THIN, coarse)
