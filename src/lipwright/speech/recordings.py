"""Recordings of voices for benchmarks: their beginning, and its phones where a transcript lies beside them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.core.errors import LipwrightError
from lipwright.media.audio import read_audio
from lipwright.speech.known_phones import phones_of
from lipwright.speech.source import array_source
from lipwright.speech.tts import Phone

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording:
    """One voice."""

    name: str
    samples: F32
    """(S,) mono 16 kHz."""
    phones: list[Phone]
    """Those that end within the samples; none without a transcript that fits."""


def recordings(files: Iterable[Path], seconds: float) -> Iterator[Recording]:
    """The first seconds of each file.

    A transcript NAME.txt beside NAME.* is aligned with the whole of it; its language is the first two letters of the
    name. One that does not fit is said in the log.
    """
    for file in files:
        whole, words = read_audio(file), file.with_suffix(".txt")
        phones: list[Phone] = []
        if words.is_file():
            language = file.stem[:2]
            try:
                text = words.read_text(encoding="utf-8")
                told = phones_of(array_source(whole), len(whole), text, None, None if language == "en" else language)
                phones = [p for p in told or [] if p.end_s <= seconds]
            except LipwrightError as error:
                _log.warning("%s: no phones (%s)", file.name, error)
        yield Recording(file.stem, whole[: round(seconds * SAMPLE_RATE)], phones)
