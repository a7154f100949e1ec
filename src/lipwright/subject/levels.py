"""Loudness of the band that follows the lips, gathered block by block: an hour of sound is never in memory."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.errors import ShapeError

F64 = NDArray[np.float64]

LEVEL_RATE = 100
"""Rows of level per second; row r is centred at (r + 1/2) / LEVEL_RATE seconds."""
BAND_HZ = (460.0, 4000.0)
"""From the first formant to the third: the band whose level follows the lip opening best."""
N_BANDS = 6
"""Sub-bands, evenly spaced in mel and weighted alike."""
SMOOTH_S = 0.02
"""Sigma of the Gaussian over the level."""
_WIDTH_S = 0.025
"""Length of the window that one row's spectrum is taken over."""
_FLOOR = 1e-4
"""40 dB below loud speech: what is quieter counts as silence."""
_ROWS_AT_ONCE = 1024


class LevelMeter:
    """Collects sound of any length; keeps `N_BANDS` float32 per 10 ms (8.6 MB an hour).

    Blocks may have any length: the levels are those of the whole sound in one piece.
    """

    def __init__(self, sample_rate: int = SAMPLE_RATE) -> None:
        self.sample_rate = sample_rate
        self._width = round(sample_rate * _WIDTH_S)
        # The window is centred on its row, so the first one reaches back to before the sound.
        self._before = (self._width - sample_rate // LEVEL_RATE) // 2
        self._bands = _band_lines(self._width, sample_rate)
        self._window = np.hanning(self._width)
        self._waiting = np.zeros(self._before, np.float32)
        self._first = -self._before  # number of the sample that waits longest
        self._done = 0
        self._power: list[NDArray[np.float32]] = []

    @property
    def n_samples(self) -> int:
        """Samples added so far."""
        return self._first + len(self._waiting)

    def add(self, block: NDArray[Any]) -> None:
        """Take the next (S,) mono samples in [-1, 1]. ShapeError for any other shape."""
        array = np.asarray(block, dtype=np.float32)
        if array.ndim != 1:
            raise ShapeError("samples", ("S",), array.shape)
        self._waiting = np.concatenate([self._waiting, array])
        # The last row whose window ends within the samples that are there.
        whole = (self.n_samples - self._width + self._before) * LEVEL_RATE // self.sample_rate + 1
        if whole > self._done:
            self._power.append(self._rows(self._waiting, self._done, whole))
            self._done = whole
            used = self._start(whole) - self._first
            self._waiting, self._first = self._waiting[used:].copy(), self._first + used

    def levels(self) -> F64:
        """(R,) smoothed mean log power of the sub-bands at `LEVEL_RATE`; zeros for silence. More may be added."""
        total = self.n_samples * LEVEL_RATE // self.sample_rate
        rest = self._rows(np.pad(self._waiting, (0, self._width)), self._done, total)
        power = np.concatenate([*self._power, rest])
        loud = float(np.percentile(power.sum(axis=1), 95)) if total else 0.0
        floor = _FLOOR * loud / N_BANDS
        if floor <= 1e-12:
            return np.zeros(total)
        level = np.log(power.astype(np.float64) + floor).mean(axis=1)
        return np.asarray(gaussian_filter1d(level, SMOOTH_S * LEVEL_RATE, mode="nearest"), dtype=np.float64)

    def _start(self, row: int) -> int:
        """First sample of a row's window; exact for rates that are no multiple of 100 Hz."""
        return row * self.sample_rate // LEVEL_RATE - self._before

    def _rows(self, samples: NDArray[np.float32], first: int, end: int) -> NDArray[np.float32]:
        """(end - first, N_BANDS) power of rows, from samples that begin with number `self._first`."""
        result = np.empty((max(0, end - first), N_BANDS), np.float32)
        for a in range(first, end, _ROWS_AT_ONCE):
            b = min(a + _ROWS_AT_ONCE, end)
            starts = np.array([self._start(row) for row in range(a, b)]) - self._first
            pieces = samples[starts[:, None] + np.arange(self._width)].astype(np.float64)
            power = np.abs(np.fft.rfft(pieces * self._window)) ** 2
            for band, (low, high) in enumerate(self._bands):
                result[a - first : b - first, band] = power[:, low:high].sum(axis=1)
        return result


def band_levels(samples: NDArray[Any], sample_rate: int = SAMPLE_RATE) -> F64:
    """(R,) levels of (S,) mono samples that are in memory already."""
    meter = LevelMeter(sample_rate)
    meter.add(samples)
    return meter.levels()


def _band_lines(width: int, sample_rate: int) -> list[tuple[int, int]]:
    """(first, end) spectrum lines of each sub-band."""
    low, high = (2595 * np.log10(1 + f / 700) for f in BAND_HZ)
    edges = 700 * (10 ** (np.linspace(low, high, N_BANDS + 1) / 2595) - 1)
    lines = np.searchsorted(np.fft.rfftfreq(width, 1 / sample_rate), edges)
    return [(int(a), int(b)) for a, b in pairwise(lines)]
