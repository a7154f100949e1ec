"""Progress on stderr: a bar with time left on a terminal, a line now and then with time left in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar
    from rich.progress import TaskID


LINE_EVERY_S = 30.0
"""Seconds between two lines of a long stage in a log file."""


class Bars:
    """The `core.progress.Progress` of commands; a context manager, so that no bar stays behind.

    Args:
        quiet: say nothing at all.
        clock: seconds, never backwards.
    """

    def __init__(self, quiet: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._live = not quiet and sys.stderr.isatty()
        self._plain = not quiet and not self._live
        self._bar: RichBar | None = None
        self._task: TaskID | None = None
        self._name, self._note = "", ""
        self._total: float | None = None
        self._clock, self._began, self._said = clock, 0.0, 0.0
        self._first: tuple[float, float] | None = None

    def __enter__(self) -> Bars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self, task: str, total: float | None) -> None:
        """A stage begins."""
        self._name, self._note, self._total, self._first = task, "", total, None
        self._began = self._said = self._clock()
        if self._live:
            self._bar = self._bar or _new_bar()
            self._bar.start()
            self._task = self._bar.add_task(task, total=total, note="")

    def update(self, done: float, note: str = "") -> None:
        """`done` of the stage's total."""
        self._note = note or self._note
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, note=self._note)
        elif self._plain:
            now = self._clock()
            self._first = self._first or (now, done)
            if now - self._said >= LINE_EVERY_S:
                self._said = now
                print(self._line(now, done), file=sys.stderr, flush=True)

    def _line(self, now: float, done: float) -> str:
        """How far a stage is. A resumed one begins with something done, so its pace is that since the first update."""
        if not self._total:
            return f"{self._name}: {done:g} {self._note}".rstrip()
        said = f"{self._name}: {min(done / self._total, 1):.0%}"
        since, already = self._first or (now, done)
        if done > already:
            left_s = max(self._total - done, 0) * (now - since) / (done - already)
            said += f", {_spoken(left_s)} left"
        return f"{said} {self._note}".rstrip()

    def finish(self) -> None:
        """The stage is over."""
        if self._bar is not None and self._task is not None:
            task = self._bar.tasks[self._bar.task_ids.index(self._task)]
            self._bar.update(self._task, total=task.completed or 1, completed=task.completed or 1)
            self._task = None
        elif self._plain:
            took = self._clock() - self._began
            print(f"{self._name}: done in {took:.1f} s {self._note}".rstrip(), file=sys.stderr, flush=True)


def _spoken(seconds: float) -> str:
    """10 s, 12 min or 3.4 h."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _new_bar() -> RichBar:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeLeft(),
        TextColumn("{task.fields[note]}"),
        console=Console(file=sys.stderr),
    )
