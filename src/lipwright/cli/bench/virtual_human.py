"""The ablations of `virtual-human`: `lipwright bench virtual-human SUBJECT... --json FILE`.

Every row is written as soon as it is finished; what rows share (oracle, synthetic set, renderers) stays beside the
file, so that a table goes on where it was. A row that was not run says why.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.cli.bench import kept_rows
from lipwright.cli.bench.virtual_human_tables import tables
from lipwright.cli.output import write_json
from lipwright.cli.results import table_lines
from lipwright.core.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from lipwright.core.progress import Progress
    from lipwright.recipes.crossmodal_bench.rows import Reported, Table

NAME = "virtual-human"
COMMAND = f"bench {NAME}"
NOT_ASKED = "not asked for"


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
    from lipwright.recipes.crossmodal_bench.rows import ROWS, Table, chosen
    from lipwright.train.loop import Budget

    limit = Budget.parse(budget) if budget else Budget(steps=steps)
    table = Table(preset or "draft", limit, seed, settings(changes or []), chosen(rows) if rows else ROWS, reported)
    for row in table.rows:
        try:
            table.plan(row)
        except CheckpointError:  # weights that nobody has brought: the row will say so
            continue
    return table


def reported_of(footage: Path | None, audio: str | None, picture: str | None, exact: Path | None) -> Reported | None:
    """Footage for the comparison; ConfigError unless all of it is given."""
    from lipwright.cli.values import stretch
    from lipwright.recipes.crossmodal_bench.rows import Reported

    if footage is None and audio is None and picture is None and exact is None:
        return None
    if footage is None or audio is None or picture is None:
        raise ConfigError("the comparison needs --footage FILE, --audio 57-64 and --picture 0-7, all three")
    for file in (footage, exact):
        if file is not None and not file.is_file():
            raise ConfigError(f"{file} is not a file; name a video of the same person")
    heard, seen = stretch(audio, "--audio"), stretch(picture, "--picture")
    assert heard is not None
    assert seen is not None
    return Reported(footage, heard, seen, exact)


def run(subjects: Sequence[Path], asked: Table, device: str, file: Path, progress: Progress) -> dict[str, Any]:
    """Run what is missing in `file` and return all of it; ConfigError when it was made with other settings."""
    from lipwright.cli.machine import machine
    from lipwright.recipes.crossmodal_bench.ablate import ablate
    from lipwright.recipes.crossmodal_bench.rows import ROWS
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
        work = Run(work_folder(file, subject), asked.seed, device, True, progress)
        busy = time.process_time()
        for made in ablate(subject, asked, work, [name for name, row in rows.items() if row["status"] == "run"]):
            if made.reason:
                rows[made.row.name] = {"status": "not run", "reason": made.reason}
            else:
                about = {"group": made.row.group, "kind": made.row.kind, "seed": asked.seed}
                spent = {"cpu_s": round(time.process_time() - busy, 1), "machine": here}
                rows[made.row.name] = {"status": "run", **about, **made.facts, **spent}
            for name, picture in made.pictures.items():
                kept_rows.write_picture(file, subject, f"{made.row.file}-{name}", picture)
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


def finite(value: Any) -> Any:
    """Without nan, which is no JSON, and with numbers rounded to what they mean."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [finite(one) for one in value]
    if isinstance(value, float):
        return round(value, 5) if abs(value) < float("inf") else None
    return value
