"""Option values in the form people type them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from lipwright.core.errors import ConfigError


def seconds(text: str, option: str) -> Fraction:
    """`12`, `12.5` or `1:02.5` as exact seconds."""
    parts = text.strip().split(":")
    try:
        if not 1 <= len(parts) <= 3:
            raise ValueError(text)
        total = Fraction(0)
        for part in parts:
            total = total * 60 + Fraction(part)
        if total < 0:
            raise ValueError(text)
    except (ValueError, ZeroDivisionError) as error:
        raise ConfigError(f"{option} {text!r} is not a time; write seconds or minutes:seconds (1:02.5)") from error
    return total


def stretch(text: str | None, option: str) -> tuple[float, float] | None:
    """`0-57` or `0:10-1:07` as (start, end) in seconds, the end after the start."""
    if text is None:
        return None
    first, dash, last = text.partition("-")
    if not dash:
        raise ConfigError(f"{option} {text!r} is not a stretch; write start-end, for example 0-57 or 0:10-1:07")
    start, end = seconds(first, option), seconds(last, option)
    if end <= start:
        raise ConfigError(f"{option} {text!r} ends before it starts; write start-end, for example 0-57")
    return float(start), float(end)


def rate(text: str | None, option: str) -> Fraction | None:
    """`25`, `29.97` or `30000/1001` as an exact rate."""
    if text is None:
        return None
    from lipwright.core.clock import as_rate

    try:
        return as_rate(Fraction(text))
    except (ValueError, ZeroDivisionError) as error:
        raise ConfigError(f"{option} {text!r} is not a frame rate; write 25, 29.97 or 30000/1001") from error


def picture_size(text: str | None, option: str) -> tuple[int, int] | int | None:
    """`1280x720` as (1280, 720), `720p` as 720: the shorter side."""
    if text is None:
        return None
    width, cross, height = text.strip().lower().partition("x")
    if cross and width.isdecimal() and height.isdecimal():
        return int(width), int(height)
    if not cross and width.endswith("p") and width[:-1].isdecimal():
        return int(width[:-1])
    raise ConfigError(f"{option} {text!r} is not a picture size; write widthxheight (1280x720), or 720p")


def sibling(path: Path, suffix: str) -> Path:
    """`path` with another suffix: where a verb writes when it is not told (`.` has no name to change)."""
    return path.with_suffix(suffix) if path.name else path.resolve().with_suffix(suffix)
