"""Progress of long work: library code reports to an injected `Progress`; commands draw it (`core.bars`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """What long work tells the outside."""

    def start(self, task: str, total: float | None) -> None:
        """A stage begins; `total` in the stage's own unit, None when unknown."""

    def update(self, done: float, note: str = "") -> None:
        """`done` of the total, with a short note (loss, fps)."""

    def finish(self) -> None:
        """The stage is over."""


class Silent:
    """Says nothing: the default of the Python interface."""

    def start(self, task: str, total: float | None) -> None:
        """Nothing."""

    def update(self, done: float, note: str = "") -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


def track(items: Iterable[T], progress: Progress, task: str, total: float | None = None) -> Iterator[T]:
    """Yield `items`, reporting one unit for each."""
    progress.start(task, total)
    for i, item in enumerate(items, 1):
        yield item
        progress.update(i)
    progress.finish()
