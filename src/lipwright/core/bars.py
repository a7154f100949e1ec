"""Progress on stderr: a bar with time left on a terminal, one line per stage in a log file."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as RichBar
    from rich.progress import TaskID


class Bars:
    """The `core.progress.Progress` of commands; a context manager, so that no bar stays behind."""

    def __init__(self, quiet: bool = False) -> None:
        self._live = not quiet and sys.stderr.isatty()
        self._plain = not quiet and not self._live
        self._bar: RichBar | None = None
        self._task: TaskID | None = None
        self._name, self._began, self._note = "", 0.0, ""

    def __enter__(self) -> Bars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def start(self, task: str, total: float | None) -> None:
        """A stage begins."""
        self._name, self._began, self._note = task, time.monotonic(), ""
        if self._live:
            self._bar = self._bar or _new_bar()
            self._bar.start()
            self._task = self._bar.add_task(task, total=total, note="")

    def update(self, done: float, note: str = "") -> None:
        """`done` of the stage's total."""
        self._note = note or self._note
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, note=self._note)

    def finish(self) -> None:
        """The stage is over."""
        if self._bar is not None and self._task is not None:
            task = self._bar.tasks[self._bar.task_ids.index(self._task)]
            self._bar.update(self._task, total=task.completed or 1, completed=task.completed or 1)
            self._task = None
        elif self._plain:
            took = time.monotonic() - self._began
            print(f"{self._name}: done in {took:.1f} s {self._note}".rstrip(), file=sys.stderr, flush=True)


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
