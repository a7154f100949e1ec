"""Other vocal tracts, other rooms, other lines: what happens to a synthetic voice before a network hears it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from scipy.signal import fftconvolve, firwin2, resample_poly

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.speech.tts import Phone, Speech


def longer_tract(speech: Speech, factor: float) -> Speech:
    """The speech played at 1 / `factor` of its length: pitch and formants rise by `factor`, as in a smaller head."""
    exact, samples = played(speech.samples, factor)
    phones = tuple(Phone(p.symbol, p.start_s / exact, p.end_s / exact) for p in speech.phones or ())
    return replace(speech, samples=samples, phones=phones, words=())


def played(samples: F32, factor: float) -> tuple[float, F32]:
    """(the exact factor, samples) of a recording played about `factor` times as fast."""
    ratio = Fraction(factor).limit_denominator(50)
    faster = resample_poly(samples, ratio.denominator, ratio.numerator).astype(np.float32)
    return float(ratio), np.clip(faster, -1, 1)


def cut(speech: Speech, seconds: float) -> Speech:
    """The first `seconds`, phones that begin later left out."""
    phones = tuple(p for p in speech.phones or () if p.start_s < seconds)
    return replace(speech, samples=speech.samples[: round(seconds * speech.sample_rate)], phones=phones)


@dataclass(frozen=True)
class Rooms:
    """What happens to a voice on its way to the file."""

    noise_db: tuple[float, float] = (3.0, 40.0)
    """Range of speech over noise."""
    reverb_s: float = 0.4
    """Longest decay by 60 dB."""
    colour_db: float = 8.0
    """Deviation of the response at eight frequencies."""

    def of(self, samples: F32, others: F32, rng: np.random.Generator) -> F32:
        """(S,) `samples` in a random room; `others` (some speech) babble in the background of some."""
        heard = np.asarray(samples, np.float64)
        gains = 10 ** (rng.normal(0, self.colour_db / 2, 10) / 20)
        heard = fftconvolve(heard, firwin2(257, np.linspace(0, 1, 10), gains), mode="same")
        if rng.random() < 0.6:
            decay = rng.uniform(0.05, self.reverb_s)
            t = np.arange(round(decay * SAMPLE_RATE)) / SAMPLE_RATE
            tail = rng.normal(size=len(t)) * np.exp(-6.9 * t / decay) * rng.uniform(0.01, 0.08)
            tail[0] = 1.0
            heard = fftconvolve(heard, tail)[: len(heard)]
        noise = self._noise(len(heard), others, rng)
        level = np.sqrt(np.mean(heard**2) + 1e-12) / np.sqrt(np.mean(noise**2) + 1e-12)
        heard = heard + noise * level * 10 ** (-rng.uniform(*self.noise_db) / 20)
        return np.asarray(heard * rng.uniform(0.05, 0.9) / (np.abs(heard).max() + 1e-9), np.float32)

    def _noise(self, n: int, others: F32, rng: np.random.Generator) -> np.ndarray:
        """White to brown noise, or other people talking."""
        if len(others) > n and rng.random() < 0.3:
            starts = rng.integers(0, len(others) - n, 3)
            return np.asarray(sum(others[s : s + n] for s in starts), np.float64)
        spectrum = np.fft.rfft(rng.normal(size=n))
        tilt = np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 20.0) ** -rng.uniform(0, 1.2)
        return np.asarray(np.fft.irfft(spectrum * tilt, n), np.float64)


@dataclass(frozen=True)
class Line:
    """What happens to a recording on its way to the listener."""

    telephone: float = 0.12
    """Share that passes 8 kHz sampling."""
    clipped: float = 0.15
    """Share whose peaks are cut."""
    coded: float = 0.2
    """Share in 6 to 10 bit, companded (mu-law) or not."""

    def of(self, samples: F32, rng: np.random.Generator) -> F32:
        """(S,) `samples` as they arrive."""
        heard = np.asarray(samples, np.float64)
        if rng.random() < self.telephone:
            heard = resample_poly(resample_poly(heard, 1, 2), 2, 1)[: len(heard)]
        if rng.random() < self.clipped:
            top = np.abs(heard).max() * rng.uniform(0.2, 0.8)
            heard = np.clip(heard, -top, top)
        if rng.random() < self.coded:
            half = 2 ** (int(rng.integers(6, 11)) - 1)
            if rng.random() < 0.5:
                companded = np.sign(heard) * np.log1p(255 * np.minimum(np.abs(heard), 1)) / np.log(256)
                companded = np.round(companded * half) / half
                heard = np.sign(companded) * np.expm1(np.abs(companded) * np.log(256)) / 255
            else:
                heard = np.round(heard * half) / half
        return np.asarray(heard, np.float32)
