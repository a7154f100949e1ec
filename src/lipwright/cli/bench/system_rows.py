"""What `lipwright bench virtual-human` and `meta-talk` share: a table of trained rows that goes on where it was.

Every row is written as soon as it is finished. A row that was not run says why.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lipwright.cli.bench import kept_rows
from lipwright.cli.output import write_json
from lipwright.core.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from lipwright.core.progress import Progress
    from lipwright.recipes.row import Made, Reported, SystemTable
    from lipwright.subject.store import Subject
    from lipwright.train.run import Run

NOT_ASKED = "not asked for"


T = TypeVar("T", bound="SystemTable[Any]")


def reported_of(footage: Path | None, audio: str | None, picture: str | None, exact: Path | None) -> Reported | None:
    """Footage for the comparison; ConfigError unless all of it is given."""
    from lipwright.cli.values import stretch
    from lipwright.recipes.row import Reported

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


def asked(
    kind: type[T],
    preset: str | None,
    steps: int,
    budget: str | None,
    seed: int,
    rows: list[str] | None,
    changes: list[str] | None,
    reported: Reported | None = None,
) -> T:
    """The asked table of a `kind`; ConfigError for unknown rows and settings.

    Args: `rows` by name, else all; `budget` is a time for every network, else it has so many `steps`.
    """
    from lipwright.core.config import settings
    from lipwright.recipes.row import by_name
    from lipwright.train.loop import Budget

    limit = Budget.parse(budget) if budget else Budget(steps=steps)
    known = kind().rows
    named = by_name(rows, known) if rows else known
    table = kind(preset or "draft", limit, seed, settings(changes or []), named, reported)
    for row in table.rows:
        with contextlib.suppress(CheckpointError):  # weights that nobody has brought: the row will say so
            table.plan(row)
    return table


def run(
    name: str,
    make: Callable[[Subject, T, Run, list[str]], Iterator[Made]],
    subjects: Sequence[Path],
    table: T,
    device: str,
    file: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Run what is missing in `file` and return all of it; ConfigError when it was made with other settings.

    Args:
        name: of the benchmark.
        make: rows of a subject one after the other, but those that are named as run.
    """
    from lipwright.cli.machine import machine
    from lipwright.core.files import make_folder
    from lipwright.recipes.row import work_folder
    from lipwright.subject.store import Subject
    from lipwright.train.run import Run

    if table.reported is not None and len(subjects) > 1:
        raise ConfigError("--footage is of one person; compare one subject at a time")
    here = machine()
    found = kept_rows.opened(file, settings_of(name, table, device), f"bench {name}")
    for subject in (Subject.open(path) for path in subjects):
        rows = kept_rows.of_subject(found, subject, file, [row.name for row in type(table)().rows])
        for row in rows.values():
            if row["status"] != "run":
                row.setdefault("reason", NOT_ASKED)
        work = Run(make_folder(work_folder(file, subject)), table.seed, device, True, progress)
        busy = time.process_time()
        for made in make(subject, table, work, [name for name, row in rows.items() if row["status"] == "run"]):
            if made.reason:
                rows[made.row.name] = {"status": "not run", "reason": made.reason}
            else:
                about = {"group": made.row.group, "kind": made.row.kind, "seed": table.seed}
                spent = {"cpu_s": round(time.process_time() - busy, 1), "machine": here}
                rows[made.row.name] = {"status": "run", **about, **made.facts, **spent}
            for end, picture in made.pictures.items():
                kept_rows.write_picture(file, subject, f"{made.row.file}-{end}", picture)
            write_json(str(file), finite(found))
            busy = time.process_time()
    return found


def settings_of(name: str, table: SystemTable[Any], device: str) -> dict[str, Any]:
    """What must be alike for rows to stand in one table."""
    limit = table.budget
    budget = f"{limit.seconds:g}s" if limit.seconds is not None else f"{limit.steps} steps"
    shared = {"preset": table.preset, "budget": budget, "seed": table.seed}
    return {"benchmark": name, "device": device, **shared, "changes": dict(table.changes)}


def finite(value: Any) -> Any:
    """Without nan, which is no JSON, and with numbers rounded to what they mean."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [finite(one) for one in value]
    if isinstance(value, float):
        return round(value, 5) if abs(value) < float("inf") else None
    return value
