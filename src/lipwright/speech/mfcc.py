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

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError
from lipwright.speech.logfbank import CHANNELS, HOP, N_FFT, WINDOW, mel_triangles
from lipwright.speech.source import SampleSource

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


def _cepstra(
    windows: NDArray[np.float64],
    channels: int = CHANNELS,
    n_fft: int = N_FFT,
    kept: int = COEFFICIENTS,
    lifter: int = LIFTER,
) -> NDArray[np.float64]:
    power = np.abs(np.fft.rfft(windows, n_fft)) ** 2 / n_fft
    logs = np.log(_above_zero(power @ mel_triangles(channels, n_fft).T))
    cosines = dct(logs, type=2, axis=1, norm="ortho")[:, :kept]
    lift = 1 + lifter / 2 * np.sin(np.pi * np.arange(kept) / lifter) if lifter else np.ones(kept)
    result: NDArray[np.float64] = cosines * lift
    result[:, 0] = np.log(_above_zero(power.sum(axis=1)))
    return result


def _above_zero(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(energy == 0, np.finfo(np.float64).eps, energy)


def stretch(source: SampleSource, first: int, count: int) -> NDArray[np.float64]:
    """(count, 400) emphasised windows of int16 amplitudes; row r begins at sample 160 r."""
    start = first * HOP
    signal = source(start - 1, start + (count - 1) * HOP + WINDOW).astype(np.float64) * 32768
    emphasised = signal[1:] - _EMPHASIS * signal[:-1]
    return np.lib.stride_tricks.sliding_window_view(emphasised, WINDOW)[::HOP]


class Mfcc12:
    """The 12 cepstra AudioDVP hears, energy left out, four rows per video frame: the `SpeechFeature` 'mfcc12'.

    Row r begins at sample 160 r, as in the published code; it is that of `mfcc` with real sound before it.
    """

    name, dim, rate, halo_frames, block_frames = "mfcc12", COEFFICIENTS - 1, 4, 1, 64

    def block(self, source: SampleSource, index: int) -> F32:
        """(256, 12) rows of the absolute block `index`."""
        count = self.rate * self.block_frames
        return _cepstra(stretch(source, index * count, count))[:, 1:].astype(np.float32)


class Mfcc80:
    """Eighty cepstra of eighty channels, Meta Talk's "28 x 80 MFCC" to the letter: the `SpeechFeature` 'mfcc80'.

    FFT of 1024, since one of 512 leaves a channel empty; no lifter, which 80 coefficients would turn upside down.
    """

    name, dim, rate, halo_frames, block_frames = "mfcc80", 80, 4, 1, 64

    def block(self, source: SampleSource, index: int) -> F32:
        """(256, 80) rows of the absolute block `index`."""
        count = self.rate * self.block_frames
        return _cepstra(stretch(source, index * count, count), 80, 1024, 80, 0).astype(np.float32)
