"""A transcript from a file: phones with times, or the text that is said."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lipwright.metrics.lips import Phone
    from lipwright.speech.exact import PhoneTime


def read_transcript(path: Path) -> tuple[Phone, ...] | str:
    """Phones of a file that holds times (see `speech.alignments`), else its text.

    SpeechError when the file cannot be read, is empty, or holds times that make no sense.
    """
    from lipwright.speech.alignments import phones_in, read_text

    text = read_text(path)
    found = phones_in(text, path)
    return text if found is None else _rows(found)


def read_phones(path: Path) -> tuple[Phone, ...]:
    """Phones of a file that holds times. SpeechError when it cannot be read or holds something else."""
    from lipwright.speech.alignments import read_alignment

    return _rows(read_alignment(path))


def _rows(phones: Iterable[PhoneTime]) -> tuple[Phone, ...]:
    from lipwright.metrics.lips import Phone

    return tuple(Phone(p.symbol, p.start_s, p.end_s) for p in phones)
