"""How all parts of one persona are trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lipwright.core.progress import Progress
from lipwright.train.loop import Budget, Loop, Task, TrainingRecord


@dataclass(frozen=True)
class Run:
    """Where, with what seed, on what, and who is told."""

    work: Path
    """Where checkpoints lie."""
    seed: int
    device: str
    resume: bool
    progress: Progress
    log: Callable[[str, float, int], None] | None = None

    def loop(self, task: Task, budget: Budget, name: str) -> TrainingRecord:
        """Train one part until its budget is spent."""
        return Loop(task, self.work, budget, name, self.progress, self.log).run(self.resume)
