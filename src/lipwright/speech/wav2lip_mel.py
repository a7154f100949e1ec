"""The mel spectrogram Wav2Lip was trained with: 80 channels at 80 columns a second (SPEC 2.3)."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32

CHANNELS, COLUMNS = 80, 16
"""Of the piece the network hears: 0.2 s."""
RATE = 80
_SIZE, _HOP = 800, 200
_LOW_HZ, _HIGH_HZ = 55.0, 7600.0


def wav2lip_mel(samples: F32) -> F32:
    """(S,) 16 kHz samples in [-1, 1] to (80, 1 + S // 200) in [-4, 4]; S > 400.

    Pre-emphasis 0.97; periodic Hann of 800, hop 200, centred, ends reflected; magnitude; Slaney's mel scale and norm
    from 55 to 7600 Hz; decibels from -100 to 0 laid onto [-4, 4].
    """
    sharp = lfilter([1, -0.97], [1], np.asarray(samples, np.float64))
    padded = np.pad(sharp, _SIZE // 2, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_SIZE) / _SIZE)
    pieces = np.lib.stride_tricks.sliding_window_view(padded, _SIZE)[::_HOP]
    magnitude = np.abs(np.fft.rfft(pieces * window, axis=1)).T
    decibels = 20 * np.log10(np.maximum(1e-5, mel_basis() @ magnitude)) - 20
    return np.clip(8 * (decibels + 100) / 100 - 4, -4, 4).astype(np.float32)


def windows(mel: F32, count: int, fps: Fraction) -> F32:
    """(count, 80, 16) what is heard for each video frame: columns from int(80 f / fps), the last ones right-aligned.

    Source: Wav2Lip's inference script (one frame later than its training pairs; kept as published).
    """
    last = max(mel.shape[1] - COLUMNS, 0)
    short = COLUMNS - mel.shape[1]
    if short > 0:
        mel = np.pad(mel, ((0, 0), (0, short)), mode="edge")
    starts = [min(int(RATE * f / fps), last) for f in range(count)]
    return np.stack([mel[:, start : start + COLUMNS] for start in starts]).astype(np.float32)


@lru_cache(maxsize=1)
def mel_basis() -> NDArray[np.float64]:
    """(80, 401) triangles of Slaney's scale: linear below 1 kHz, logarithmic above, each of area 2 / width in Hz."""
    step = np.log(6.4) / 27
    low, high = (15 + np.log(f / 1000) / step if f >= 1000 else f * 3 / 200 for f in (_LOW_HZ, _HIGH_HZ))
    mels = np.linspace(low, high, CHANNELS + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp(step * (mels - 15)))
    bins = np.linspace(0, SAMPLE_RATE / 2, _SIZE // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles: NDArray[np.float64] = np.maximum(0, np.minimum(rising, falling))
    return triangles * (2 / (edges[2:] - edges[:-2]))[:, None]
