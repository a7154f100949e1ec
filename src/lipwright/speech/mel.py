"""Mel energies for the recogniser: 40 channels at 100 Hz, and what makes them independent of level and microphone."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32

WINDOW, HOP, N_FFT, CHANNELS = 400, 160, 512, 40
PAD = (WINDOW - HOP) // 2
"""Samples of a window on either side of its 10 ms block."""
_LOW_HZ, _HIGH_HZ = 60.0, 7600.0
FLOOR = 1e-7
"""Added to every energy: noise at about -70 dB of full scale."""
LEVEL_BACK, LEVEL_AHEAD = 300, 1
"""Rows over which `centred` takes the mean."""
_QUIETEST = float(np.log(FLOOR)) + 4.0
"""The mean is never below: silence stays low where nothing has been said yet."""
_LIMIT = 8.0


@lru_cache(maxsize=1)
def _triangles() -> NDArray[np.float64]:
    """(257, 40) triangular weights, equally wide on the mel scale, without rounding to bins; each sums to 1."""

    def mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(2595 * np.log10(1 + np.asarray(hertz) / 700))

    edges = np.linspace(mel(_LOW_HZ), mel(_HIGH_HZ), CHANNELS + 2)
    bins = mel(np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights: NDArray[np.float64] = np.maximum(np.minimum(rising, falling), 0.0)
    return weights / weights.sum(axis=0)


def energies(samples: F32, rows: int) -> F32:
    """(rows, 40) mean spectral power of the channels, windows of 400 samples (Hann) every 160 from sample 0.

    `samples` holds (rows - 1) * 160 + 400 samples in [-1, 1].
    """
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP][:rows]
    spectrum = rfft(windows * np.hanning(WINDOW).astype(np.float32), N_FFT)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(power @ (_triangles() / N_FFT).astype(np.float32), np.float32)


def centred(power: F32) -> F32:
    """(T, 40) log energies less their mean over the last 3 s and the next 0.15 s, in [-8, 8].

    Loud rows weigh more (by amplitude), so pauses and faint noise do not move the mean.
    """
    log = np.log(np.asarray(power, np.float64) + FLOOR)
    weight = np.sqrt((power.astype(np.float64) + FLOOR).sum(axis=1, keepdims=True))
    total = np.concatenate([np.zeros((1, CHANNELS + 1)), np.cumsum(np.hstack([weight * log, weight]), axis=0)])
    steps = np.arange(len(log))
    low, high = np.maximum(steps - LEVEL_BACK, 0), np.minimum(steps + LEVEL_AHEAD + 1, len(log))
    sums = total[high] - total[low]
    mean = sums[:, :-1] / sums[:, -1:]
    mean += np.maximum(_QUIETEST - mean.mean(axis=1, keepdims=True), 0.0)
    return np.clip(log - mean, -_LIMIT, _LIMIT).astype(np.float32)
