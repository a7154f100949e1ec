"""The comparison of `meta-talk`: `lipwright bench meta-talk SUBJECT... --json FILE --footage VIDEO ...`.

Every row is written as soon as it is finished, and the same command goes on where it was. A row that was not run says
why.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.cli.bench import kept_rows
from lipwright.cli.bench.meta_talk_tables import tables
from lipwright.cli.bench.virtual_human import NOT_ASKED, finite
from lipwright.cli.output import write_json
from lipwright.cli.results import table_lines
from lipwright.core.errors import ConfigError

if TYPE_CHECKING:
    from lipwright.core.progress import Progress
    from lipwright.recipes.crossmodal_bench.rows import Reported
    from lipwright.recipes.meta_talk_bench.rows import Table

NAME = "meta-talk"
COMMAND = f"bench {NAME}"


def table_of(
    preset: str | None,
    steps: int,
    budget: str | None,
    seed: int,
    rows: list[str] | None,
    changes: list[str] | None,
    reported: Reported | None = None,
) -> Table:
    """The asked table; ConfigError for unknown rows and fields. `budget` is a time for every network, else `steps`."""
    from lipwright.core.config import settings
    from lipwright.recipes.meta_talk_bench.rows import ROWS, Table, chosen
    from lipwright.train.loop import Budget

    limit = Budget.parse(budget) if budget else Budget(steps=steps)
    table = Table(preset or "draft", limit, seed, settings(changes or []), chosen(rows) if rows else ROWS, reported)
    for row in table.rows:
        table.plan(row)
    return table


def run(subjects: Sequence[Path], asked: Table, device: str, file: Path, progress: Progress) -> dict[str, Any]:
    """Run what is missing in `file` and return all of it; ConfigError when it was made with other settings."""
    from lipwright.cli.machine import machine
    from lipwright.core.files import make_folder
    from lipwright.recipes.meta_talk_bench.rows import ROWS
    from lipwright.recipes.meta_talk_bench.run import compared
    from lipwright.recipes.row import work_folder
    from lipwright.subject.store import Subject
    from lipwright.train.run import Run

    if asked.reported is not None and len(subjects) > 1:
        raise ConfigError("--footage is of one person; compare one subject at a time")
    here = machine()
    found = kept_rows.opened(file, _settings(asked, device), COMMAND)
    for subject in (Subject.open(path) for path in subjects):
        rows = kept_rows.of_subject(found, subject, file, [row.name for row in ROWS])
        for row in rows.values():
            if row["status"] != "run":
                row.setdefault("reason", NOT_ASKED)
        work = Run(make_folder(work_folder(file, subject)), asked.seed, device, True, progress)
        busy = time.process_time()
        for made in compared(subject, asked, work, [name for name, row in rows.items() if row["status"] == "run"]):
            if made.reason:
                rows[made.row.name] = {"status": "not run", "reason": made.reason}
            else:
                about = {"group": made.row.group, "kind": made.row.kind, "seed": asked.seed}
                spent = {"cpu_s": round(time.process_time() - busy, 1), "machine": here}
                rows[made.row.name] = {"status": "run", **about, **made.facts, **spent}
            write_json(str(file), finite(found))
            busy = time.process_time()
    return found


def show(found: dict[str, Any]) -> None:
    """The tables of all subjects as markdown, with the rows that were not run and why."""
    print("\n\n".join(map(table_lines, tables(found))))


def _settings(asked: Table, device: str) -> dict[str, Any]:
    """What must be alike for rows to stand in one table."""
    limit = asked.budget
    budget = f"{limit.seconds:g}s" if limit.seconds is not None else f"{limit.steps} steps"
    shared = {"preset": asked.preset, "budget": budget, "seed": asked.seed}
    return {"benchmark": NAME, "device": device, **shared, "changes": dict(asked.changes)}
