"""MFCC as python_speech_features gives them by default: 13 coefficients at 100 Hz, the first one log energy.

The filterbank is `logfbank`'s reference one: pre-emphasis 0.97, windows of 25 ms every 10 ms without taper, 26 mel
triangles, |FFT 512|² / 512. An orthonormal DCT-II, a sinusoidal lifter of 22, and the log of the whole frame's
power in place of coefficient 0. SyncNet was trained on amplitudes of int16: floats in [-1, 1] move coefficient 0
by 2·ln 32768 (20.79) and are scaled here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from lipwright.core.errors import ShapeError
from lipwright.speech.logfbank import HOP, N_FFT, WINDOW, mel_triangles

COEFFICIENTS = 13
LIFTER = 22
_EMPHASIS = 0.97
_BLOCK = 3000
"""Rows transformed at once (30 s): long recordings need no long spectrogram."""


def int16_amplitudes(samples: NDArray[Any]) -> NDArray[np.float64]:
    """Samples in [-1, 1] as a 16-bit wav file holds them: times 32768, rounded, clipped; integers pass through."""
    if np.issubdtype(samples.dtype, np.integer):
        return np.asarray(samples, dtype=np.float64)
    return np.clip(np.rint(np.asarray(samples, dtype=np.float64) * 32768), -32768, 32767)


def mfcc(amplitudes: NDArray[Any]) -> NDArray[np.float64]:
    """(rows, 13) cepstra of (S,) samples at 16 kHz, row r from sample 160 r.

    rows is 1 + ceil((S - 400) / 160), the last window filled with zeros; none without samples. For SyncNet give
    `int16_amplitudes`.
    """
    signal = np.asarray(amplitudes, dtype=np.float64)
    if signal.ndim != 1:
        raise ShapeError("samples", ("S",), signal.shape)
    if not len(signal):
        return np.zeros((0, COEFFICIENTS))
    emphasised = np.append(signal[:1], signal[1:] - _EMPHASIS * signal[:-1])
    rows = 1 if len(signal) <= WINDOW else 1 + -(-(len(signal) - WINDOW) // HOP)
    padded = np.pad(emphasised, (0, max((rows - 1) * HOP + WINDOW - len(emphasised), 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:rows]
    return np.concatenate([_cepstra(windows[r : r + _BLOCK]) for r in range(0, rows, _BLOCK)])


def _cepstra(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    power = np.abs(np.fft.rfft(windows, N_FFT)) ** 2 / N_FFT
    logs = np.log(_above_zero(power @ mel_triangles().T))
    cosines = dct(logs, type=2, axis=1, norm="ortho")[:, :COEFFICIENTS]
    lift = 1 + LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / LIFTER)
    result: NDArray[np.float64] = cosines * lift
    result[:, 0] = np.log(_above_zero(power.sum(axis=1)))
    return result


def _above_zero(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(energy == 0, np.finfo(np.float64).eps, energy)
