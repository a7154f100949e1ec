"""Speech without hum: what lies below any voice.

A Butterworth high-pass as the convolution with its impulse response, which has died away after 0.13 s: the same numbers
as the recursion, without loading scipy.signal, which takes longer than everything else a short speech needs.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
_HZ, _RATE, _TAPS = 90, 16000, 2048


@cache
def _response() -> F64:
    """(_TAPS,) impulse response: bilinear transform of the second-order Butterworth high-pass."""
    k = np.tan(np.pi * _HZ / _RATE)
    whole = 1 + np.sqrt(2) * k + k**2
    a1, a2 = 2 * (k**2 - 1) / whole, (1 - np.sqrt(2) * k + k**2) / whole
    pulse, out = [1 / whole, -2 / whole, 1 / whole], [0.0, 0.0]
    for n in range(_TAPS):
        out.append((pulse[n] if n < 3 else 0.0) - a1 * out[-1] - a2 * out[-2])
    return np.array(out[2:])


def without_hum(samples: NDArray[np.floating]) -> F64:
    """(S,) samples at 16 kHz through a Butterworth high-pass of second order at 90 Hz, starting from rest."""
    size = 1 << (len(samples) + _TAPS - 1).bit_length()
    spectrum = np.fft.rfft(samples.astype(np.float64), size) * np.fft.rfft(_response(), size)
    return np.asarray(np.fft.irfft(spectrum, size)[: len(samples)], np.float64)
