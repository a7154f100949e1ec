"""Log filterbank energies: 26 channels at 100 Hz, four rows per video frame.

Definition: python_speech_features' defaults. Pre-emphasis 0.97, windows of 400 samples every 160 without
taper, |FFT 512|² / 512, 26 triangles on the mel scale over 0 to 8000 Hz, natural logarithm.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError, ShapeError
from lipwright.speech.source import SampleSource

WINDOW, HOP, N_FFT, CHANNELS = 400, 160, 512, 26
ROWS_PER_FRAME = 4
PAD = (WINDOW - HOP) // 2
"""Zeros added on each side in `aligned` mode: row r is then centred on the 10 ms block r."""
_EMPHASIS = 0.97
_SAMPLE_RATE = 16_000


@cache
def mel_triangles(channels: int = CHANNELS, n_fft: int = N_FFT) -> NDArray[np.float64]:
    """(26, 257) triangular weights over the FFT bins; edges at floor(513·f / 16000), or other sizes."""
    top = 2595 * np.log10(1 + (_SAMPLE_RATE / 2) / 700)
    hertz = 700 * (10 ** (np.linspace(0, top, channels + 2) / 2595) - 1)
    edges = np.floor((n_fft + 1) * hertz / _SAMPLE_RATE)
    bins = np.arange(n_fft // 2 + 1)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = np.where((bins >= left) & (bins < centre), (bins - left) / (centre - left), 0.0)
        falling = np.where((bins >= centre) & (bins < right), (right - bins) / (right - centre), 0.0)
    weights: NDArray[np.float64] = rising + falling
    return weights


def _energies(emphasised: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """(rows, 26) log energies of windows that start every HOP samples of an emphasised signal."""
    windows = np.lib.stride_tricks.sliding_window_view(emphasised, WINDOW)[::HOP][:rows]
    power = np.abs(np.fft.rfft(windows, N_FFT)) ** 2 / N_FFT
    energy = power @ mel_triangles().T
    return np.log(np.where(energy == 0, np.finfo(np.float64).eps, energy))


def logfbank(samples: NDArray[np.floating] | NDArray[np.integer], mode: str = "aligned") -> NDArray[np.float64]:
    """Log filterbank of a whole signal.

    Args:
        samples: (S,) at 16 kHz; int16 values lie 2·ln 32768 = 20.79 above float [-1, 1] ones.
        mode: `reference` pads nothing at the start: 1 + ceil((S - 400) / 160) rows, so N video frames give
            4N - 1; `aligned` pads 120 zeros on both sides: exactly 4N rows for N frames of 640 samples.
    Returns:
        (rows, 26) float64.
    """
    signal = np.asarray(samples, dtype=np.float64)
    if signal.ndim != 1:
        raise ShapeError("samples", ("S",), signal.shape)
    if mode == "aligned":
        signal = np.pad(signal, PAD)
    elif mode != "reference":
        raise ConfigError(f"unknown logfbank mode '{mode}'; available: aligned, reference")
    if len(signal) == 0:
        return np.zeros((0, CHANNELS))
    emphasised = np.append(signal[:1], signal[1:] - _EMPHASIS * signal[:-1])
    rows = 1 if len(signal) <= WINDOW else 1 + -(-(len(signal) - WINDOW) // HOP)
    padded = np.pad(emphasised, (0, max((rows - 1) * HOP + WINDOW - len(emphasised), 0)))
    return _energies(padded, rows)


class LogFbank:
    """`aligned` rows of any stretch of a source, four per video frame: the `SpeechFeature` 'logfbank'."""

    name = "logfbank"
    dim = CHANNELS
    rate = ROWS_PER_FRAME
    halo_frames = 1
    block_frames = 64

    def block(self, source: SampleSource, index: int) -> F32:
        """(256, 26) rows of the absolute block `index`; each row sees its 400 samples and one before."""
        rows = self.block_frames * ROWS_PER_FRAME
        start = index * rows * HOP - PAD
        signal = source(start - 1, start + (rows - 1) * HOP + WINDOW).astype(np.float64)
        return rows_of(signal, rows)


def rows_of(signal: NDArray[np.float64], rows: int) -> F32:
    """(rows, 26) of a stretch of a longer signal that begins one sample before the first window."""
    return _energies(signal[1:] - _EMPHASIS * signal[:-1], rows).astype(np.float32)
