"""What all tables of trained rows share: rows by name, and where their checkpoints lie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from lipwright.core.errors import ConfigError
from lipwright.subject.store import Subject


class Named(Protocol):
    """A row of any table."""

    @property
    def name(self) -> str:
        """As shown, and as asked for with --row."""


R = TypeVar("R", bound=Named)


def by_name(names: Iterable[str], rows: Sequence[R]) -> tuple[R, ...]:
    """Those of `rows`, in the order given; ConfigError lists what there is."""
    known = {row.name: row for row in rows}
    wanted = list(names)
    missing = [name for name in wanted if name not in known]
    if missing:
        raise ConfigError(f"unknown row '{missing[0]}'; available: {'; '.join(known)}")
    return tuple(known[name] for name in wanted)


def file_name(name: str) -> str:
    """A row's name as part of a path."""
    return name.replace(",", "").replace(":", "").replace(" ", "-")


def work_folder(json: Path, subject: Subject) -> Path:
    """Where a table's checkpoints lie: beside its file."""
    return json.with_suffix(".training") / subject.path.name
