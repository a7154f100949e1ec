"""Ctrl-C: every verb says what it has kept and how to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopped(Exception):
    """The user interrupted a verb; the text says what was kept and how to resume."""


@contextmanager
def kept(what: str | Callable[[], str]) -> Iterator[None]:
    """Turn Ctrl-C inside the block into `Stopped(what)`; a function is asked at that moment."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Stopped(what if isinstance(what, str) else what()) from stop
