"""What the teacher lets the person say: synthetic voices of many languages, and any folder of recordings.

Nothing here is heard for what it means. What matters is that the voices are many, and none of them the person's own;
for synthetic ones the engine also tells which phone sounds when.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.config import config_key
from lipwright.core.contracts import F32
from lipwright.core.errors import DependencyError, FootageError, SpeechError
from lipwright.media.audio import AudioReader
from lipwright.media.probe import probe
from lipwright.speech.exact import PhoneTime
from lipwright.speech.rooms import Rooms, longer_tract, played
from lipwright.speech.texts import sentence
from lipwright.speech.tts import INSTALL_HINT, Phone, Speech, concatenate, engines

VOICES = (
    *(("flite", voice, "en") for voice in ("awb", "rms", "kal")),
    *(
        ("espeak-ng", f"{language}{variant}", language)
        for language, variants in (
            ("en-us", ("", "+m1", "+f2", "+klatt")), ("en-gb", ("+m3", "+f1")), ("de", ("", "+f3")),
            ("es", ("+m4", "+f5")), ("fr-fr", ("", "+Annie")), ("it", ("+m2", "+f1")), ("pt-br", ("+m5",)),
            ("pl", ("+f2",)), ("ru", ("", "+f3")), ("tr", ("+m1",)), ("sv", ("+f5",)), ("ko", ("+m3",)),
            ("cmn-latn-pinyin", ("", "+f2")), ("ar", ("+m6",)), ("hi", ("+f1",)), ("vi", ("+m2",)), ("el", ("+f3",)),
        )
        for variant in variants
    ),
)  # fmt: skip
"""(engine, voice, language); flite's slt and espeak-ng's variants f4, m7 and klatt3 are left to judge by."""
HELD_OUT = (("flite", "slt", "en"), ("espeak-ng", "en-us+f4", "en-us"), ("espeak-ng", "en-gb+m7", "en-gb"))
"""Never heard in training."""
_SENTENCES = 4
_SUFFIXES = (".wav", ".flac", ".mp3", ".m4a", ".ogg", ".opus", ".aac", ".mp4", ".mov", ".mkv", ".webm")


@dataclass(frozen=True)
class Utterance:
    """One piece of speech."""

    name: str
    """For people."""
    samples: F32
    """(S,) 16 kHz, as the teacher hears it."""
    heard: F32
    """(S,) the same as the network will hear it: in a room, over a microphone."""
    phones: Sequence[PhoneTime] | None = None
    """What sounds when, where it is known."""


class SpeechSource(Protocol):
    """An endless row of utterances, the same whenever it is asked again."""

    @property
    def key(self) -> str:
        """Names what it says."""

    def __call__(self, index: int) -> Utterance:
        """Utterance number `index`."""


@dataclass(frozen=True)
class SyntheticVoices:
    """The engines that are installed; DependencyError when there is none."""

    seed: int = 0
    voices: tuple[tuple[str, str, str], ...] = VOICES
    rooms: Rooms | None = field(default_factory=lambda: Rooms(noise_db=(12.0, 45.0), reverb_s=0.3))
    """What the network hears through; None: clean."""

    @property
    def key(self) -> str:
        """See `SpeechSource`."""
        return config_key({"seed": self.seed, "voices": self._here, "rooms": self.rooms})

    @cached_property
    def _here(self) -> tuple[tuple[str, str, str], ...]:
        known = {name: engine for name, engine in engines().items() if engine.available()}
        found = tuple(v for v in self.voices if v[0] in known)
        if not found:
            raise DependencyError(
                f"pseudo video needs synthetic voices or a folder of speech; {INSTALL_HINT.removesuffix('.')}"
            )
        return found

    def __call__(self, index: int) -> Utterance:
        """A few sentences of random words of one voice, at a random pace and vocal tract length, with pauses."""
        rng = np.random.default_rng([self.seed, 7, index])
        # Voices in turn, shuffled anew every round: a short set has as many of them as it can.
        order = np.random.default_rng([self.seed, 8, index // len(self._here)]).permutation(len(self._here))
        engine, voice, language = self._here[order[index % len(self._here)]]
        tract, rate = float(rng.uniform(0.87, 1.16)), float(rng.uniform(0.85, 1.2))
        texts = [sentence(language, rng) for _ in range(_SENTENCES)]
        parts: list[Speech] = []
        for speech in engines()[engine].speak(texts, voice, language, rate / tract):
            if not speech.phones:
                continue
            silence = np.zeros(round(float(rng.uniform(0.1, 0.8)) * SAMPLE_RATE), np.float32)
            parts += [replace(speech.at(SAMPLE_RATE), words=()), _pause(silence)]
        if not parts:
            raise SpeechError(
                f"{engine} said nothing with voice '{voice}'; install it again or give a folder of speech"
            )
        said = longer_tract(concatenate(parts), tract)
        top = float(np.abs(said.samples).max(initial=1e-6))
        samples = (said.samples * np.float32(0.7 / top)).astype(np.float32)
        heard = samples if self.rooms is None else self.rooms.of(samples, np.zeros(0, np.float32), rng)
        return Utterance(f"{engine} {voice}", samples, heard, said.phones)


def _pause(silence: F32) -> Speech:
    return Speech(silence, SAMPLE_RATE, (Phone("pau", 0.0, len(silence) / SAMPLE_RATE),))


@dataclass(frozen=True)
class SpeechFolder:
    """All sound and video files of a folder, cut into pieces; FootageError when there are none."""

    folder: Path
    seconds: float = 15.0

    @property
    def key(self) -> str:
        """See `SpeechSource`."""
        files = [(p.name, p.stat().st_size) for p in self._files]
        return config_key({"folder": files, "seconds": self.seconds})

    @cached_property
    def _files(self) -> list[Path]:
        found = sorted(p for p in self.folder.glob("*") if p.suffix.lower() in _SUFFIXES)
        if not found:
            raise FootageError(f"{self.folder} holds no sound or video files; give a folder of recorded speech")
        return found

    @cached_property
    def _pieces(self) -> list[tuple[Path, int]]:
        found = []
        for path in self._files:
            length = float(probe(path).duration_s or 0)
            found += [(path, k) for k in range(max(round(length / self.seconds), 1))]
        # The files in turn, so that a short set has as many voices as it can.
        return sorted(found, key=lambda piece: piece[1])

    def __call__(self, index: int) -> Utterance:
        """Piece after piece, again from the first when all were heard."""
        path, k = self._pieces[index % len(self._pieces)]
        start = Fraction(k) * Fraction(self.seconds)
        parts = AudioReader(path, start_s=start, end_s=start + Fraction(self.seconds)).blocks()
        samples = np.concatenate([np.zeros(0, np.float32), *parts]).astype(np.float32)
        return Utterance(f"{path.name} {k * self.seconds:g} s", samples, samples)


@dataclass(frozen=True)
class ChangedVoice:
    """One recording as larger and smaller heads would say it: what is left where no speech engine is installed."""

    samples: F32
    """(S,) 16 kHz."""
    seed: int = 0
    seconds: float = 15.0

    @property
    def key(self) -> str:
        """See `SpeechSource`."""
        digest = hashlib.sha256(np.ascontiguousarray(self.samples).tobytes()).hexdigest()[:16]
        return config_key({"changed": digest, "seed": self.seed, "seconds": self.seconds})

    def __call__(self, index: int) -> Utterance:
        """Piece after piece, each round with other vocal tracts: pitch, formants and pace move together."""
        rng, size = np.random.default_rng([self.seed, 12, index]), round(self.seconds * SAMPLE_RATE)
        count = max(round(len(self.samples) / size), 1)
        k, factor = index % count, float(rng.choice([rng.uniform(0.8, 0.92), rng.uniform(1.09, 1.25)]))
        exact, said = played(self.samples[k * size : (k + 1) * size], factor)
        return Utterance(f"own speech {k * self.seconds:g} s, {exact:.2f} times", said, Rooms().of(said, said[:0], rng))


def default_speech(samples: F32, seed: int = 0) -> SpeechSource:
    """Synthetic voices, or the person's own `samples` changed where no engine is installed."""
    if any(engine.available() for name, engine in engines().items() if name in {v[0] for v in VOICES}):
        return SyntheticVoices(seed)
    return ChangedVoice(samples, seed)


@dataclass(frozen=True)
class Alternating:
    """Several sources in turn."""

    sources: tuple[SpeechSource, ...]

    @property
    def key(self) -> str:
        """See `SpeechSource`."""
        return config_key([source.key for source in self.sources])

    def __call__(self, index: int) -> Utterance:
        """See `SpeechSource`."""
        return self.sources[index % len(self.sources)](index // len(self.sources))
