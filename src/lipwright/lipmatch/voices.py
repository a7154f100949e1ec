"""Speech of synthetic voices: words drawn at random, many voices, vocal tracts of other lengths."""

from __future__ import annotations

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.speech.rooms import cut, longer_tract
from lipwright.speech.texts import WORDS
from lipwright.speech.tts import Speech, synthesise

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
