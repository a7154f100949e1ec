"""Interval tiers of a Praat TextGrid, long or short text form (Praat manual, 'TextGrid file formats')."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"]|"")*"|<exists>|<absent>|(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])')
_INDEX = re.compile(r"\[\s*\d*\s*\]")
"""Numbering of the long form, which carries no value."""

Interval = tuple[str, float, float]


def interval_tiers(text: str) -> dict[str, list[Interval]]:
    """Name to (label, start_s, end_s) of each interval tier; tiers of one name are joined.

    ValueError says what is wrong where the file ends early or holds something else.
    """
    tokens = iter(_TOKEN.findall(_INDEX.sub("", text)))
    if [_string(tokens), _string(tokens)] != ["ooTextFile", "TextGrid"]:
        raise ValueError("it does not begin as a TextGrid does")
    _number(tokens), _number(tokens)
    if _next(tokens) != "<exists>":
        raise ValueError("it has no tiers")
    tiers: dict[str, list[Interval]] = {}
    for _ in range(int(_number(tokens))):
        kind, name = _string(tokens), _string(tokens)
        _number(tokens), _number(tokens)
        count = int(_number(tokens))
        if kind == "IntervalTier":
            rows = [(_number(tokens), _number(tokens), _string(tokens)) for _ in range(count)]
            tiers.setdefault(name, []).extend((label.strip(), a, b) for a, b, label in rows)
        else:  # points in time
            for _ in range(count):
                _number(tokens), _string(tokens)
    return tiers


def _next(tokens: Iterator[str]) -> str:
    token = next(tokens, None)
    if token is None:
        raise ValueError("it ends in the middle of a tier")
    return token


def _string(tokens: Iterator[str]) -> str:
    token = _next(tokens)
    if not token.startswith('"'):
        raise ValueError(f"{token} stands where a text in quotes was expected")
    return token[1:-1].replace('""', '"')


def _number(tokens: Iterator[str]) -> float:
    token = _next(tokens)
    try:
        return float(token)
    except ValueError as error:
        raise ValueError(f"{token} stands where a number was expected") from error
