"""Text to speech: one function over the engines that are installed.

`synthesise("Good evening.")` gives samples and, where the engine knows them, exact phone times. Engines:
espeak-ng (many languages), flite (better English voices), and any command that writes a wav file.
None is bundled; DependencyError says how to install one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError, DependencyError, SpeechError
from lipwright.speech.spread import spread
from lipwright.speech.words import Word, bare_length, tokens

INSTALL_HINT = "install one with 'apt install espeak-ng flite' (or brew, dnf), or pass engine='command:...'"
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+|(?<=[。！？])|\n\s*\n")
_MAX_CHARACTERS = 400


@dataclass(frozen=True)
class Phone:
    """One phone and where it sounds."""

    symbol: str
    """CMU (ARPAbet) symbol in lower case without stress, the nearest one for other languages; 'pau' is
    silence."""
    start_s: float
    """Seconds from the first sample."""
    end_s: float
    """Seconds from the first sample; the next phone's start."""


@dataclass(frozen=True)
class Speech:
    """Samples with, where the engine tells, the phones in them."""

    samples: F32
    """(S,) mono in [-1, 1]."""
    sample_rate: int
    """Samples per second, the engine's own."""
    phones: tuple[Phone, ...] | None
    """In order and without overlap; None when the engine gives no times."""
    words: tuple[Word, ...] = ()
    """When the words of `text` sound, over its characters without white space; estimated between pauses where
    the engine does not tell."""
    text: str = ""
    """What is said."""

    @property
    def duration_s(self) -> Fraction:
        """Exact length."""
        return Fraction(len(self.samples), self.sample_rate)

    def at(self, sample_rate: int) -> Speech:
        """The same speech at another rate (polyphase resampling, rounded up to whole samples)."""
        if sample_rate == self.sample_rate:
            return self
        ratio = Fraction(sample_rate, self.sample_rate)
        from scipy.signal import resample_poly

        samples = resample_poly(self.samples, ratio.numerator, ratio.denominator).astype(np.float32)
        return replace(self, samples=np.clip(samples, -1, 1), sample_rate=sample_rate)


class TtsEngine(Protocol):
    """What an engine adapter offers."""

    name: str
    variants: bool
    """Whether a voice may be followed by a variant of it, as 'de+f3'."""

    def available(self) -> bool:
        """Whether it can run here."""

    def voices(self, language: str) -> list[str]:
        """Names accepted as `voice` for a language; empty when the language is unknown."""

    def speak(self, texts: Sequence[str], voice: str | None, language: str, rate: float) -> list[Speech]:
        """One Speech per text."""


def split_sentences(text: str, max_characters: int = _MAX_CHARACTERS) -> list[str]:
    """Text cut at sentence ends, over-long sentences at commas or spaces; only white space is lost."""
    pieces: list[str] = []
    for sentence in _SENTENCE_END.split(text):
        rest = " ".join(sentence.split())
        while len(rest) > max_characters:
            head = rest[:max_characters]
            cut = max(head.rfind(", "), head.rfind("; ")) + 1 or head.rfind(" ") or max_characters
            cut = cut if cut > 0 else max_characters
            pieces.append(rest[:cut].strip())
            rest = rest[cut:].strip()
        if rest:
            pieces.append(rest)
    return pieces


def concatenate(parts: Sequence[Speech]) -> Speech:
    """Parts end to end; phone times move by the exact length of what precedes them."""
    rate = parts[0].sample_rate
    parts = [p.at(rate) for p in parts]
    phones: list[Phone] | None = []
    words: list[Word] = []
    offset, place = Fraction(0), 0
    for part in parts:
        words += [w.moved(place, float(offset)) for w in part.words]
        place += bare_length(part.text)
        if part.phones is None:
            phones = None
        if phones is not None and part.phones is not None:
            shift = float(offset)
            moved = [Phone(p.symbol, p.start_s + shift, p.end_s + shift) for p in part.phones]
            if phones and moved and phones[-1].symbol == moved[0].symbol == "pau":
                moved[0] = Phone("pau", phones.pop().start_s, moved[0].end_s)
            phones += moved
        offset += part.duration_s
    samples = np.concatenate([p.samples for p in parts])
    text = " ".join(p.text for p in parts if p.text)
    return Speech(samples, rate, None if phones is None else tuple(phones), tuple(words), text)


def engines() -> dict[str, TtsEngine]:
    """The built-in engines by name, installed or not."""
    from lipwright.speech.tts_espeak import Espeak
    from lipwright.speech.tts_flite import Flite

    return {"flite": Flite(), "espeak-ng": Espeak()}


def synthesise(
    text: str,
    engine: str = "auto",
    voice: str | None = None,
    language: str = "en",
    rate: float = 1.0,
) -> Speech:
    """Speak a text of any length.

    Args:
        text: any length; it is cut at sentence ends and the parts are joined with exact times.
        engine: 'auto' (flite for English where it is installed, else espeak-ng), 'flite', 'espeak-ng', or
            'command:TEMPLATE', a command line that writes a wav file to {out} and reads the text from the
            file {text}, or from standard input when {text} is absent.
        voice: a voice of the engine; None takes the engine's best for the language.
        language: BCP 47 or espeak-ng code, such as 'en', 'de', 'es'.
        rate: speed, 1 normal, in [0.25, 4].
    Raises:
        SpeechError: empty text, unknown voice or language (the message lists what there is), failed engine.
        DependencyError: the engine is not installed. ConfigError: unknown engine or rate.
    """
    sentences = split_sentences(text)
    if not any(c.isalnum() for c in text):
        raise SpeechError("the text to speak is empty or has no letters; give at least one word")
    if not 0.25 <= rate <= 4:
        raise ConfigError(f"speech rate {rate} is outside [0.25, 4]; 1 is normal speed")
    sentences = [s for s in sentences if any(c.isalnum() for c in s)]
    chosen = choose(engine, voice, language)
    spoken = chosen.speak(sentences, voice, language, rate)
    whole = concatenate([_with_words(part, said) for part, said in zip(spoken, sentences, strict=True)])
    # The text as it was given keeps its paragraphs, where every letter and sign of it was handed to the engine.
    return replace(whole, text=text) if bare_length(whole.text) == bare_length(text) else whole


def _with_words(part: Speech, sentence: str) -> Speech:
    """The part with its text, and with its words: the engine's own, else by letters between the pauses it tells."""
    if part.words:
        return replace(part, text=sentence)
    heard: list[tuple[float, float]] = []
    for phone in part.phones or (Phone("?", 0.0, float(part.duration_s)),):
        if phone.symbol == "pau" or phone.end_s <= phone.start_s:
            continue
        joined = bool(heard) and phone.start_s <= heard[-1][1] + 1e-6
        heard = [*heard[:-1], (heard[-1][0], phone.end_s)] if joined else [*heard, (phone.start_s, phone.end_s)]
    return replace(part, text=sentence, words=spread(tokens(sentence), heard) if heard else ())


def choose(engine: str, voice: str | None, language: str) -> TtsEngine:
    """The adapter for a name, checked against voice and language."""
    from lipwright.speech.tts_command import Command

    if engine.startswith("command:"):
        return Command(engine.removeprefix("command:"))
    known = engines()
    if engine != "auto":
        if engine not in known:
            raise ConfigError(f"unknown speech engine '{engine}'; available: auto, {', '.join(known)}, command:...")
        if not known[engine].available():
            raise DependencyError(f"speech engine '{engine}' is not installed; {INSTALL_HINT}")
        _check_voice(known[engine], voice, language)
        return known[engine]
    installed = [e for e in known.values() if e.available()]
    if not installed:
        raise DependencyError(f"no text-to-speech engine is installed; {INSTALL_HINT}")
    for candidate in installed:
        offered = candidate.voices(language)
        if offered and (voice is None or _offers(candidate, voice, offered)):
            return candidate
    _check_voice(installed[-1], voice, language)
    return installed[-1]


def _check_voice(engine: TtsEngine, voice: str | None, language: str) -> None:
    offered = engine.voices(language)
    if not offered:
        raise SpeechError(
            f"{engine.name} has no voice for language '{language}'; it speaks {_listed(engine.voices(''))}"
        )
    if voice is not None and not _offers(engine, voice, offered):
        raise SpeechError(f"{engine.name} has no voice '{voice}' for '{language}'; choose one of {_listed(offered)}")


def _offers(engine: TtsEngine, voice: str, offered: Sequence[str]) -> bool:
    return voice in offered or (engine.variants and voice.partition("+")[0] in offered)


def _listed(names: Sequence[str], limit: int = 40) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
