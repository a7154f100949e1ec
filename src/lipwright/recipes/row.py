"""What all tables of trained rows share: rows by name, what a finished one is, and where their checkpoints lie."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from lipwright.core.contracts import U8
from lipwright.core.errors import ConfigError
from lipwright.subject.store import Subject
from lipwright.train.loop import Budget


class Named(Protocol):
    """A row of any table."""

    @property
    def name(self) -> str:
        """As shown, and as asked for with --row."""


class Lined(Named, Protocol):
    """A row of the tables of a whole system."""

    @property
    def group(self) -> str:
        """The table it stands in."""

    @property
    def kind(self) -> str:
        """What makes it."""

    @property
    def file(self) -> str:
        """The name as part of a path."""


@dataclass(frozen=True)
class Made:
    """A finished row."""

    row: Lined
    facts: dict[str, Any]
    """JSON-ready: what was changed, how it was trained, what was measured."""
    pictures: dict[str, U8] = field(default_factory=dict)
    """To look at, by the end of their file names."""
    reason: str = ""
    """Why it was not run; empty when it was."""


@dataclass(frozen=True)
class Reported:
    """Footage that no training and no choice has seen, for the comparison of whole systems."""

    footage: Path
    audio: tuple[float, float]
    """Stretch in seconds whose sound is spoken."""
    picture: tuple[float, float]
    """Stretch of the same length over which it is spoken in protocol `cross`."""
    exact: Path | None = None
    """Real frames of the `cross` result, where there are any."""


L = TypeVar("L", bound=Lined)


@dataclass(frozen=True)
class SystemTable(ABC, Generic[L]):
    """How every row of a whole system's table is made. Without arguments, a table has all its rows."""

    preset: str = "draft"
    budget: Budget = field(default_factory=lambda: Budget(steps=600))
    """Of every network that is trained."""
    seed: int = 0
    changes: Mapping[str, str] = field(default_factory=dict)
    """Settings that differ from the preset in every row."""
    rows: tuple[L, ...] = ()
    reported: Reported | None = None

    @abstractmethod
    def plan(self, row: L) -> Any:
        """All settings of a row; ConfigError for what is no setting, CheckpointError for weights that are absent."""


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
