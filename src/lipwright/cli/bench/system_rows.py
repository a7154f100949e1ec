"""What `lipwright bench virtual-human` and `meta-talk` share: a table of trained rows that goes on where it was.

Every row is written as soon as it is finished. A row that was not run says why.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lipwright.cli.bench import kept_rows
from lipwright.cli.output import write_json
from lipwright.core.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lipwright.core.progress import Progress
    from lipwright.recipes.row import Made, Named, Reported
    from lipwright.subject.store import Subject
    from lipwright.train.loop import Budget
    from lipwright.train.run import Run

NOT_ASKED = "not asked for"


class Asked(Protocol):
    """A table as it was asked for."""

    @property
    def preset(self) -> str:
        """Of every row."""

    @property
    def budget(self) -> Budget:
        """Of every network."""

    @property
    def seed(self) -> int:
        """Of every row."""

    @property
    def changes(self) -> Mapping[str, str]:
        """Settings that differ from the preset in every row."""

    @property
    def reported(self) -> Reported | None:
        """Footage for the comparison."""


class Planned(Asked, Protocol):
    """Such a table with its rows."""

    @property
    def rows(self) -> tuple[Any, ...]:
        """Those to run."""

    def plan(self, row: Any) -> Any:
        """All settings of a row; ConfigError for what is no setting, CheckpointError for absent weights."""


T = TypeVar("T", bound=Asked)
P = TypeVar("P", bound=Planned)


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
    kind: Callable[..., P],
    known: Sequence[Named],
    preset: str | None,
    steps: int,
    budget: str | None,
    seed: int,
    rows: list[str] | None,
    changes: list[str] | None,
    reported: Reported | None = None,
) -> P:
    """The asked table of some `kind`; ConfigError for unknown rows and settings.

    Args:
        known: all rows that it may have, taken where `rows` names none.
        budget: a time for every network, or else so many `steps`.
    """
    from lipwright.core.config import settings
    from lipwright.recipes.row import by_name
    from lipwright.train.loop import Budget

    limit = Budget.parse(budget) if budget else Budget(steps=steps)
    named = by_name(rows, known) if rows else tuple(known)
    table = kind(preset or "draft", limit, seed, settings(changes or []), named, reported)
    for row in table.rows:
        # Weights that nobody has brought: the row will say so.
        with contextlib.suppress(CheckpointError):
            table.plan(row)
    return table


def run(
    name: str,
    known: Sequence[Named],
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
        known: all rows that the table may have.
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
        rows = kept_rows.of_subject(found, subject, file, [row.name for row in known])
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


def settings_of(name: str, asked: Asked, device: str) -> dict[str, Any]:
    """What must be alike for rows to stand in one table."""
    limit = asked.budget
    budget = f"{limit.seconds:g}s" if limit.seconds is not None else f"{limit.steps} steps"
    shared = {"preset": asked.preset, "budget": budget, "seed": asked.seed}
    return {"benchmark": name, "device": device, **shared, "changes": dict(asked.changes)}


def finite(value: Any) -> Any:
    """Without nan, which is no JSON, and with numbers rounded to what they mean."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [finite(one) for one in value]
    if isinstance(value, float):
        return round(value, 5) if abs(value) < float("inf") else None
    return value
