"""A transcript from a file: phones with times, or the text that is said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lipwright.core.errors import SpeechError
from lipwright.metrics.lips import Phone

_FORM = "give lines of PHONE START END in seconds, the presenter's JSON or plain English text"


def read_transcript(path: Path) -> tuple[Phone, ...] | str:
    """Phones of a file that holds times, else its text.

    SpeechError when the file cannot be read, is empty, or holds times that make no sense.
    """
    text = _text(path)
    first = next((line.split() for line in text.splitlines() if line.strip()), [])
    timed = len(first) == 3 and all(_number(field) for field in first[1:])
    return read_phones(path) if timed or not first or text.lstrip().startswith(("{", "[")) else text


def read_phones(path: Path) -> tuple[Phone, ...]:
    """Phones of a JSON file (`{"phones": [[symbol, start, end], ...]}`) or of lines `SYMBOL START END`.

    SpeechError when the file cannot be read or holds something else, such as plain text.
    """
    text = _text(path)
    try:
        rows = _rows(text)
        phones = tuple(Phone(str(symbol), float(start), float(end)) for symbol, start, end in rows)
    except (ValueError, TypeError, KeyError) as error:
        raise SpeechError(f"{path} holds no transcript that can be used; {_FORM}") from error
    if not phones:
        raise SpeechError(f"{path} holds no phones; {_FORM}")
    wrong = next((p for p in phones if not 0 <= p.start_s <= p.end_s), None)
    if wrong is not None:
        raise SpeechError(
            f"{path}: phone {wrong.label} goes from {wrong.start_s:g} to {wrong.end_s:g} s; correct its times"
        )
    return phones


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpeechError(f"{path} cannot be read as UTF-8 text ({error}); check the file") from error


def _number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _rows(text: str) -> Iterable[Sequence[Any]]:
    if text.lstrip().startswith(("{", "[")):
        data = json.loads(text)
        return data["phones"] if isinstance(data, dict) else data
    return [line.split() for line in text.splitlines() if line.strip()]
