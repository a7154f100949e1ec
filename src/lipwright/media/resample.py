"""A sample rate changed while the sound is coming: the same samples however it is cut."""

from __future__ import annotations

from math import gcd

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.core.errors import SpeechError

_HALF = 10
"""Length of the filter to either side, in samples of the slower rate."""


class Resampler:
    """Mono sound at `rate` to 16 kHz, by a windowed sinc (Kaiser 5), in whole blocks of about 5 ms.

    SpeechError for a rate outside 4000 to 384000 Hz.
    """

    def __init__(self, rate: int) -> None:
        if not 4000 <= rate <= 384_000:
            raise SpeechError(f"the speech has {rate} samples a second; give 4000 to 384000")
        from scipy.signal import firwin  # takes a third of a second, and files do not come through here

        common = gcd(rate, SAMPLE_RATE)
        self._up, self._down = SAMPLE_RATE // common, rate // common
        widest = max(self._up, self._down)
        self._half = _HALF * widest
        self._filter = firwin(2 * self._half + 1, 1 / widest, window=("kaiser", 5.0)) * self._up
        self._block = self._down * max(rate // 200 // self._down, 1)
        """Input samples that are worked on at once: a whole number of output samples."""
        self._around = -(-self._half // self._up)
        self._held = np.zeros(self._around, np.float32)

    def __call__(self, samples: F32) -> F32:
        """What is finished of the sound so far; the rest comes with later calls."""
        self._held = np.concatenate([self._held, samples])
        out = []
        while len(self._held) >= self._block + 2 * self._around:
            out.append(self._of(self._held[: self._block + 2 * self._around]))
            self._held = self._held[self._block :]
        return np.concatenate(out) if out else np.zeros(0, np.float32)

    def finish(self) -> F32:
        """The rest, as if silence followed; then it begins anew."""
        left = len(self._held) - self._around
        rest = self(np.zeros(self._block + self._around, np.float32))
        self._held = np.zeros(self._around, np.float32)
        return rest[: -(-left * self._up // self._down)]

    def _of(self, held: F32) -> F32:
        """The block in the middle of `held`."""
        from scipy.signal import upfirdn

        count = self._block * self._up // self._down
        # Output n of the block lies at n · down in samples of the upsampled grid, after `around` input samples.
        start = self._around * self._up + self._half
        full = upfirdn(self._filter, held.astype(np.float64), self._up)
        return np.asarray(full[start : start + count * self._down : self._down], np.float32)
