"""Ctrl-C and termination wait for the end of a training step, so that the checkpoint they leave is exact."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupts:
    """Signals that came while they were held back."""

    def __init__(self) -> None:
        self.before: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._came: int | None = None

    @property
    def wanted(self) -> bool:
        """Whether somebody wants the work to stop."""
        return self._came is not None

    def now(self) -> None:
        """Let the signal that came do what it would have done; nothing if none came."""
        if self._came is not None:
            number, self._came = self._came, None
            self.before[number](number, None)

    def take(self, number: int, frame: FrameType | None) -> None:
        """The handler: the first signal waits, a second one is obeyed at once."""
        if self._came is not None:
            self.before[number](number, frame)
        self._came = number


@contextmanager
def held_back() -> Iterator[Interrupts]:
    """Hold back SIGINT and SIGTERM inside the block, as far as somebody handles them.

    Only the main thread may change handlers; elsewhere signals act as they always do.
    """
    held = Interrupts()
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.getsignal(number)
            if callable(before):
                signal.signal(number, held.take)
                held.before[number] = before
    except ValueError:  # not the main thread
        held.before.clear()
    try:
        yield held
    finally:
        for held_number, before in held.before.items():
            signal.signal(held_number, before)
    held.now()
