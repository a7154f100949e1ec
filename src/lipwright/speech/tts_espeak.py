"""espeak-ng: many languages; exact phone times from the library, audio alone from the command line."""

from __future__ import annotations

import ctypes.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path

import numpy as np

from lipwright.core.errors import SpeechError
from lipwright.speech import espeak_worker
from lipwright.speech.ipa import arpabet
from lipwright.speech.tts import Phone, Speech
from lipwright.speech.wav import read_pcm
from lipwright.speech.words import Word

_WORDS_PER_MINUTE = 160
_LIMITS = (80, 450)
_ROW = re.compile(r"^\s*\d+\s+(\S+)\s+\S+\s+(\S+)\s+(\S+)\s*(.*)$")
_ALIAS = {"en": "en-us", "fr": "fr-fr", "zh": "cmn-latn-pinyin", "cmn": "cmn-latn-pinyin", "no": "nb"}
"""Voices that are better than the first one listed: plain 'cmn' spells Mandarin in English."""


class Espeak:
    """The espeak-ng library, in a process of its own, or the program."""

    name = "espeak-ng"
    variants = True

    def available(self) -> bool:
        """Whether library or program is installed."""
        return _library() is not None or shutil.which("espeak-ng") is not None

    def voices(self, language: str) -> list[str]:
        """Language codes and names accepted as voices; all codes for the empty language."""
        rows = _rows()
        if not rows:  # library without the program: it cannot be asked, and rejects unknown names itself
            return [language or "en-us"]
        if not language:
            return sorted({code for code, _, _ in rows})
        wanted = language.lower().replace("_", "-")
        base = wanted.split("-")[0]
        base = {"zh": "cmn", "no": "nb"}.get(base, base)
        exact = [r for r in rows if r[0] == wanted or r[0].startswith(wanted + "-")]
        chosen = exact or [r for r in rows if r[0].split("-")[0] == base]
        codes = [code for code, _, _ in chosen]
        return list(dict.fromkeys([*codes, *(name for _, name, _ in chosen)]))

    def best_voice(self, language: str) -> str:
        """The voice for a language that is spoken by one of them."""
        offered, alias = self.voices(language), _ALIAS.get(language.lower())
        return alias if alias in offered else offered[0]

    def speak(self, texts: Sequence[str], voice: str | None, language: str, rate: float) -> list[Speech]:
        """One Speech per text; SpeechError for an unknown voice or a failed engine."""
        chosen = voice_file(voice or self.best_voice(language))
        speed = int(np.clip(round(_WORDS_PER_MINUTE * rate), *_LIMITS))
        library = _library()
        with tempfile.TemporaryDirectory() as folder:
            if library is not None:
                return _with_library(library, texts, chosen, speed, Path(folder))
            return [_with_program(text, chosen, speed, Path(folder)) for text in texts]


def phones_of(events: Sequence[tuple[int, str]], n_samples: int, sample_rate: int) -> tuple[Phone, ...]:
    """Phones that tile the samples from (start sample, IPA) events; empty names are silence.

    An event that holds several phones (a diphthong with r) is divided evenly.
    """
    starts = [min(start, n_samples) for start, _ in events] + [n_samples]
    phones = [Phone("pau", 0.0, starts[0] / sample_rate)] if starts[0] > 0 else []
    for (_, ipa), start, end in zip(events, starts, starts[1:], strict=False):
        if end <= start:
            continue
        symbols = arpabet(ipa) or ["pau"]
        edges = np.linspace(start, end, len(symbols) + 1) / sample_rate
        for symbol, a, b in zip(symbols, edges, edges[1:], strict=False):
            if symbol == "pau" and phones and phones[-1].symbol == "pau":
                phones[-1] = Phone("pau", phones[-1].start_s, float(b))
            else:
                phones.append(Phone(symbol, float(a), float(b)))
    return tuple(phones)


def words_of(
    events: Sequence[tuple[int, int, int]], phones: Sequence[Phone], text: str, sample_rate: int
) -> tuple[Word, ...]:
    """Words from (start sample, character, length) events; each reaches to the next event, without the silence before.

    Events that say nothing new (several for one number, or out of order) are left out.
    """
    places = [0, *accumulate(not c.isspace() for c in text)]
    kept: list[tuple[int, int]] = []
    for sample, character, _ in events:
        if 0 <= character < len(text) and (not kept or (character > kept[-1][1] and sample >= kept[-1][0])):
            kept.append((sample, character))
    words = []
    ends = [(sample / sample_rate, character) for sample, character in kept[1:]] + [(float("inf"), len(text))]
    for (sample, character), (next_s, following) in zip(kept, ends, strict=True):
        letters = [k for k in range(character, following) if text[k].isalnum()]
        begin = sample / sample_rate
        heard = [p.end_s for p in phones if p.symbol != "pau" and begin <= p.start_s < next_s]
        if letters and heard:
            words.append(Word(places[letters[0]], places[letters[-1]] + 1, begin, min(heard[-1], next_s)))
    return tuple(words)


def _with_library(library: str, texts: Sequence[str], voice: str, words_per_minute: int, folder: Path) -> list[Speech]:
    pcm = folder / "speech.pcm"
    job = {
        "library": library, "voice": voice, "words_per_minute": words_per_minute,
        "texts": list(texts), "pcm": str(pcm),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-I", espeak_worker.__file__],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 3:
        raise SpeechError(f"espeak-ng has no voice '{voice}'; 'espeak-ng --voices' lists them")
    if done.returncode != 0 or not pcm.is_file():
        raise SpeechError(f"espeak-ng failed with status {done.returncode} ({done.stderr.strip()[-200:]}); try another")
    answer = json.loads(done.stdout)
    rate = int(answer["sample_rate"])
    samples = np.frombuffer(pcm.read_bytes(), "<i2").astype(np.float32) / 32768
    parts, at = [], 0
    for text, part in zip(texts, answer["parts"], strict=True):
        count = int(part["samples"])
        if not count:
            raise SpeechError(f"espeak-ng voice '{voice}' says nothing for '{text[:40]}'; check the language")
        piece = samples[at : at + count].copy()
        phones = phones_of(part["events"], count, rate)
        parts.append(Speech(piece, rate, phones, words_of(part["words"], phones, text, rate)))
        at += count
    return parts


def _with_program(text: str, voice: str, words_per_minute: int, folder: Path) -> Speech:
    source, out = folder / "text.txt", folder / "speech.wav"
    source.write_text(text, encoding="utf-8")
    command = ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "-b", "1"]
    done = subprocess.run([*command, "-f", str(source), "-w", str(out)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SpeechError(f"espeak-ng failed ({done.stderr.strip()[-200:]}); 'espeak-ng --voices' lists voices")
    samples, rate = read_pcm(out, "espeak-ng")
    return Speech(samples, rate, None)


@lru_cache(maxsize=1)
def _library() -> str | None:
    return ctypes.util.find_library("espeak-ng")


def voice_file(voice: str) -> str:
    """The voice file of a code or name that is listed: the library knows files, and not every code ('fr-fr').

    A variant ('de+f3') stays.
    """
    bare, plus, variant = voice.partition("+")
    file = next((file for code, name, file in _rows() if bare in (name, file) or bare.lower() == code), bare)
    return file + plus + variant


@lru_cache(maxsize=1)
def _rows() -> list[tuple[str, str, str]]:
    """(language code, voice name, voice file) of every voice that needs no extra data files."""
    if shutil.which("espeak-ng") is None:
        return []
    done = subprocess.run(["espeak-ng", "--voices"], capture_output=True, text=True, check=False)
    rows = [_ROW.match(line) for line in done.stdout.splitlines()]
    return [(m[1].lower(), m[2], m[3]) for m in rows if m and not m[3].startswith("mb/")]
