"""The ablations of `virtual-human`: `lipwright bench virtual-human SUBJECT... --json FILE`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.cli.bench import system_rows
from lipwright.cli.bench.virtual_human_tables import tables
from lipwright.cli.results import table_lines

if TYPE_CHECKING:
    from lipwright.core.progress import Progress
    from lipwright.recipes.crossmodal_bench.rows import Table
    from lipwright.recipes.row import Reported

NAME = "virtual-human"


def table_of(
    preset: str | None,
    steps: int,
    budget: str | None,
    seed: int,
    rows: list[str] | None,
    changes: list[str] | None,
    reported: Reported | None = None,
) -> Table:
    """See `system_rows.asked`."""
    from lipwright.recipes.crossmodal_bench.rows import ROWS, Table

    return system_rows.asked(Table, ROWS, preset, steps, budget, seed, rows, changes, reported)


def run(subjects: Sequence[Path], asked: Table, device: str, file: Path, progress: Progress) -> dict[str, Any]:
    """See `system_rows.run`; what rows share (oracle, synthetic set, renderers) stays beside the file."""
    from lipwright.recipes.crossmodal_bench.ablate import ablate
    from lipwright.recipes.crossmodal_bench.rows import ROWS

    return system_rows.run(NAME, ROWS, ablate, subjects, asked, device, file, progress)


def show(found: dict[str, Any]) -> None:
    """The tables of all subjects as markdown, with the rows that were not run and why."""
    print("\n\n".join(map(table_lines, tables(found))))
