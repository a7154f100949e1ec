"""Speech of synthetic voices: words drawn at random, many voices, vocal tracts of other lengths, other rooms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from scipy.signal import fftconvolve, firwin2, resample_poly

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.speech.tts import Phone, Speech, synthesise

Voice = tuple[str, str | None, str]
"""(engine, voice, language)."""

TRAINING: tuple[Voice, ...] = (
    ("flite", "kal", "en"),
    ("flite", "awb", "en"),
    ("flite", "rms", "en"),
    ("espeak-ng", "en-us", "en"),
    ("espeak-ng", "en-029", "en"),
    ("espeak-ng", "en-gb-x-rp", "en"),
    ("espeak-ng", None, "de"),
    ("espeak-ng", None, "es"),
)
HELD_OUT: tuple[Voice, ...] = (("flite", "slt", "en"), ("espeak-ng", "en-gb-scotland", "en"), ("espeak-ng", None, "it"))
"""Never heard in training."""

WORDS: dict[str, str] = {
    "en": (
        "morning people because between about money paper bread water mother father brother summer winter evening "
        "window garden yellow purple orange number little bottle wonderful beautiful problem question answer weather "
        "never always maybe perhaps family government minister economy market country village mountain river ocean "
        "think thought through both with without move film five seven eleven twelve hope boat boy voice noise choice "
        "house south loud round how now she show fish wash watch church judge large bridge measure pleasure vision "
        "world word work first third bird early over under other rather remember december member promise public "
        "people private power popular important impossible political company committee common moment memory simple "
        "example apple happy paper open opened moving improve above below behind before forever everyone everybody"
    ),
    "de": (
        "guten morgen wasser mutter bruder sommer fenster garten leben arbeit problem fragen antwort wetter immer "
        "vielleicht regierung wirtschaft markt dorf berge fluss meinung haben wollen müssen können schule brücke"
    ),
    "es": (
        "buenos días mañana madre padre hermano verano ventana jardín problema pregunta respuesta siempre nunca "
        "gobierno economía mercado pueblo montaña empezar hombre mujer bueno blanco verde amarillo importante"
    ),
    "it": (
        "buongiorno mamma padre fratello estate finestra giardino problema domanda risposta sempre mai governo "
        "economia mercato paese montagna famiglia bambino bello bianco verde importante momento memoria semplice"
    ),
}


def speech_of(voice: Voice, seconds: float, rng: np.random.Generator) -> Speech:
    """About `seconds` of random words at 16 kHz, at a random pace and vocal tract length, with phones."""
    engine, name, language = voice
    tract = float(rng.uniform(0.85, 1.18))
    rate = float(rng.uniform(0.85, 1.2))
    words = WORDS[language].split()
    said: list[str] = []
    speech = Speech(np.zeros(0, np.float32), SAMPLE_RATE, ())
    while speech.duration_s < seconds * tract:
        for _ in range(4):
            said.append(" ".join(rng.choice(words, int(rng.integers(3, 8)))) + str(rng.choice([",", ".", ".", " and"])))
        speech = synthesise(" ".join(said), engine, name, language, rate / tract).at(SAMPLE_RATE)
    return cut(longer_tract(speech, tract), seconds)


def longer_tract(speech: Speech, factor: float) -> Speech:
    """The speech played at 1 / `factor` of its length: pitch and formants rise by `factor`, as in a smaller head."""
    ratio = Fraction(factor).limit_denominator(50)
    samples = resample_poly(speech.samples, ratio.denominator, ratio.numerator).astype(np.float32)
    phones = tuple(Phone(p.symbol, p.start_s / float(ratio), p.end_s / float(ratio)) for p in speech.phones or ())
    return replace(speech, samples=np.clip(samples, -1, 1), phones=phones, words=())


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
