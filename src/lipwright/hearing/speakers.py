"""Who speaks: synthetic voices to learn from, and voices and languages kept for the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.core.errors import DependencyError
from lipwright.hearing import festival
from lipwright.speech.texts import sentence
from lipwright.speech.tts import INSTALL_HINT, Phone, Speech, concatenate, engines

_BATCH = 8
"""Sentences per call of an engine."""


@dataclass(frozen=True)
class Speaker:
    """One voice."""

    engine: str
    """'espeak-ng', 'flite' or 'festival'."""
    voice: str
    """The engine's name of it; of espeak-ng the language's voice with a variant, as 'de+f3'."""
    language: str
    """Whose words it says, a key of `texts.WORDS` or a variety of one."""

    @property
    def name(self) -> str:
        """For files and tables."""
        return f"{self.engine}-{self.voice}-{self.language}"


def _espeak(languages: str, variants: Sequence[str], each: int) -> tuple[Speaker, ...]:
    """`each` variants per language, one after the other through the list."""
    found = []
    for k, language in enumerate(languages.split()):
        chosen = [variants[(k * each + j) % len(variants)] for j in range(each)]
        found += [Speaker("espeak-ng", f"{language}{'+' + v if v else ''}", language) for v in chosen]
    return tuple(found)


def _festival(voices: str) -> tuple[Speaker, ...]:
    pairs = (entry.split(":") for entry in voices.split())
    return tuple(Speaker("festival", voice, language) for voice, language in pairs)


_LEARNT = ("", "m1", "f2", "klatt", "m3", "f1", "Andy", "m4", "f3", "klatt2", "m2", "Alicia", "f5", "m5", "klatt4",
           "Annie", "m6", "Denis", "steph", "norbert")  # fmt: skip
_KEPT = ("f4", "m7", "Andrea", "klatt3")
"""Variants that are never learnt from."""

RECORDED: tuple[Speaker, ...] = (
    *(Speaker("flite", voice, "en") for voice in ("awb", "rms")),
    *_festival(
        "kal_diphone:en ked_diphone:en lp_diphone:it czech_ph:cs czech_krb:cs czech_machac:cs suo_fi_lj_diphone:fi "
        "msu_ru_nsh_clunits:ru hindi_NSK_diphone:hi marathi_NSK_diphone:mr"
    ),
)
"""Made of recordings of real people: twelve people (the last two are one)."""
FORMANT: tuple[Speaker, ...] = _espeak(
    "en-us en-gb en-gb-scotland en-029 de es es-419 fr-fr it pt-br sv da nb pl cs ru tr fi ro el hi ko "
    "cmn-latn-pinyin vi ar id",
    _LEARNT,
    6,
)
HELD_OUT: tuple[Speaker, ...] = (
    Speaker("flite", "slt", "en"),
    *_festival(
        "cmu_us_slt_arctic_hts:en pc_diphone:it czech_dita:cs hy_fi_mv_diphone:fi upc_ca_ona_hts:ca "
        "telugu_NSK_diphone:te"
    ),
    *_espeak("en-us de es fr-fr it pl ru tr ko cmn-latn-pinyin vi ar hi sv nl hu ja", _KEPT, 1),
)
"""Voices that are never learnt from; nor are the languages ca, te, nl, hu and ja."""


def require(speakers: Sequence[Speaker]) -> None:
    """DependencyError, one sentence, when an engine or voice is missing."""
    known = engines()
    for name in sorted({s.engine for s in speakers} - {"festival"}):
        if not known[name].available():
            raise DependencyError(f"speech engine '{name}' is not installed; {INSTALL_HINT}")
    festival.require([s.voice for s in speakers if s.engine == "festival"])


def speech_of(speaker: Speaker, seconds: float, rng: np.random.Generator) -> Speech:
    """At least `seconds` at 16 kHz: sentences at changing pace, with pauses of 0 to 0.8 s between them."""
    parts: list[Speech] = []
    said = 0.0
    while said < seconds:
        texts = [sentence(speaker.language, rng) for _ in range(_BATCH)]
        for speech in _say(speaker, texts, float(rng.uniform(0.8, 1.25))):
            silence = np.zeros(round(max(rng.uniform(-0.3, 0.8), 0.0) * SAMPLE_RATE), np.float32)
            quiet = (Phone("pau", 0.0, len(silence) / SAMPLE_RATE),) if len(silence) else ()
            parts += [replace(speech.at(SAMPLE_RATE), words=()), Speech(silence, SAMPLE_RATE, quiet)]
        said = sum(float(p.duration_s) for p in parts)
    return concatenate([replace(p, samples=_level(p.samples)) for p in parts])


def _say(speaker: Speaker, texts: Sequence[str], rate: float) -> list[Speech]:
    if speaker.engine == "festival":
        return festival.speak(texts, speaker.voice, rate)
    found = engines()[speaker.engine].speak(texts, speaker.voice, speaker.language, rate)
    return [speech for speech in found if speech.phones]


def _level(samples: F32) -> F32:
    top = float(np.abs(samples).max(initial=0.0))
    return samples * np.float32(0.7 / top) if top > 0 else samples
