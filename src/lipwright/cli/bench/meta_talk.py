"""The comparison of `meta-talk`: `lipwright bench meta-talk SUBJECT... --json FILE --footage VIDEO ...`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.cli.bench import system_rows
from lipwright.cli.bench.meta_talk_tables import tables
from lipwright.cli.results import table_lines

if TYPE_CHECKING:
    from lipwright.core.progress import Progress
    from lipwright.recipes.meta_talk_bench.rows import Table

NAME = "meta-talk"


def kind() -> type[Table]:
    """Its table, for `system_rows.asked`."""
    from lipwright.recipes.meta_talk_bench.rows import Table

    return Table


def run(subjects: Sequence[Path], table: Table, device: str, file: Path, progress: Progress) -> dict[str, Any]:
    """See `system_rows.run`."""
    from lipwright.recipes.meta_talk_bench.run import compared

    return system_rows.run(NAME, compared, subjects, table, device, file, progress)


def show(found: dict[str, Any]) -> None:
    """The tables of all subjects as markdown, with the rows that were not run and why."""
    print("\n\n".join(map(table_lines, tables(found))))
