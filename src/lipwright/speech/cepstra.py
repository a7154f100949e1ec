"""Cepstra that forget loudness, microphone and most of the voice: 8 numbers per video frame.

The cosine transform of the 26 log filterbank energies of a frame, after taking away their mean over the
speech within ±4 s (cepstral mean normalisation, Atal 1974, over a sliding window so that it needs no second
pass) and lifting everything more than 40 dB below the window's peak to that floor, so that digital silence
and a quiet room are the same. The slowest eight cosines describe the vocal tract and leave out pitch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from lipwright.core.contracts import F32
from lipwright.speech.logfbank import CHANNELS, ROWS_PER_FRAME, logfbank
from lipwright.speech.source import SampleSource

COEFFICIENTS = 8
SAMPLES_PER_FRAME = 640
_FLOOR = 9.2
"""Natural logarithms of energy below the peak that count: 40 dB."""
_SPEECH = 4.6
"""Frames within 20 dB of the peak are speech: the mean is taken over them."""


class Cepstra:
    """Normalised cepstra, one row per video frame: the `SpeechFeature` 'cepstra'."""

    name = "cepstra"
    dim = COEFFICIENTS
    rate = 1
    block_frames = 250
    context_frames = 100
    halo_frames = context_frames + 1

    def block(self, source: SampleSource, index: int) -> F32:
        """(250, 8) rows of the absolute block `index`."""
        context = self.context_frames
        first = index * self.block_frames - context
        frames = self.block_frames + 2 * context
        samples = source(first * SAMPLES_PER_FRAME, (first + frames) * SAMPLES_PER_FRAME)
        if not samples.any():
            return cepstra_of(np.zeros((self.block_frames, CHANNELS)), context)
        energies = logfbank(samples).reshape(frames, ROWS_PER_FRAME, CHANNELS).mean(axis=1)
        return cepstra_of(energies, context)[context : context + self.block_frames]


def cepstra_of(energies: NDArray[np.float64], reach: int) -> F32:
    """(T, 26) log energies per frame to (T, 8), normalised over ±`reach` frames."""
    loudness = energies.mean(axis=1)
    peak = maximum_filter1d(loudness, 2 * reach + 1, mode="nearest")
    lifted = np.maximum(energies, (peak - _FLOOR)[:, None])
    weight = (loudness > peak - _SPEECH).astype(np.float64)[:, None]
    mean = _window_sum(lifted * weight, reach) / np.maximum(_window_sum(weight, reach), 1.0)
    channels = (np.arange(CHANNELS) + 0.5) / CHANNELS
    cosines = np.cos(np.pi * np.arange(COEFFICIENTS)[:, None] * channels) / CHANNELS
    return ((lifted - mean) @ cosines.T).astype(np.float32)


def _window_sum(rows: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """(T, D) sums over ±reach frames; fewer at the ends."""
    total = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    index = np.arange(len(rows))
    high, low = np.minimum(index + reach + 1, len(rows)), np.maximum(index - reach, 0)
    return total[high] - total[low]
