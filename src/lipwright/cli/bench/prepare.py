"""Preparing footage."""

from __future__ import annotations

from lipwright.cli.assets import PRESENTER
from lipwright.cli.bench.measure import Job, Measure, measure
from lipwright.core.errors import FootageError


def run(job: Job) -> list[Measure]:
    """Preparing the start of the bundled presenter."""
    from lipwright.subject.prepare import prepare

    if not PRESENTER.exists():
        raise FootageError(f"the bundled presenter {PRESENTER} is missing; install lipwright again")
    runs = iter(range(10**6))

    def work() -> int:
        prepare(PRESENTER, job.folder / f"{next(runs)}.subject", trim=(0.0, job.seconds))
        return round(job.seconds * 25)

    return [measure("prepare", work, job.repeats)]
