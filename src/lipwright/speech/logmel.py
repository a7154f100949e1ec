"""Eighty log mel channels at 100 Hz: what Meta Talk's network hears, seven frames of four rows at a time.

Wav2Lip's channels and compression (`wav2lip_mel`) on windows of 400 samples (periodic Hann, FFT 512) every 160: [C] of
the specification, 2.2. The paper writes "28 x 80 MFCC"; that is the feature 'mfcc80'.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import rfft

from lipwright.core.contracts import F32
from lipwright.speech.logfbank import HOP, N_FFT, PAD, WINDOW
from lipwright.speech.source import SampleSource
from lipwright.speech.wav2lip_mel import CHANNELS, compressed, mel_basis

_EMPHASIS = 0.97


class LogMel:
    """Rows of any stretch of a source, four per video frame, each centred on its 10 ms: the `SpeechFeature` 'logmel'.

    Values in [-4, 4]; silence is -4.
    """

    name = "logmel"
    dim = CHANNELS
    rate = 4
    halo_frames = 1
    block_frames = 64

    def block(self, source: SampleSource, index: int) -> F32:
        """(256, 80) rows of the absolute block `index`."""
        rows = self.block_frames * self.rate
        start = index * rows * HOP - PAD
        return rows_of(source(start - 1, start + (rows - 1) * HOP + WINDOW))


def rows_of(samples: F32) -> F32:
    """(N, 80) rows of 1 + (N - 1)·160 + 400 samples; the first one is only for the pre-emphasis."""
    signal = samples.astype(np.float64)
    emphasised = signal[1:] - _EMPHASIS * signal[:-1]
    windows = np.lib.stride_tricks.sliding_window_view(emphasised, WINDOW)[::HOP]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    return compressed(np.abs(rfft(windows * hann, N_FFT)) @ mel_basis(N_FFT).T)
