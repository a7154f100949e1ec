"""Results on stdout: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any


def print_json(data: Any) -> None:
    """One JSON document; fractions as strings, paths as strings, arrays and numpy numbers as plain values."""
    print(json.dumps(data, indent=2, ensure_ascii=False, default=_plain))


def write_json(path: str, data: Any) -> None:
    """JSON to a file, atomically, or to stdout for `-`."""
    if path == "-":
        print_json(data)
        return
    from lipwright.core.files import write_json as write

    write(path, json.loads(json.dumps(data, default=_plain)))


def _plain(value: Any) -> Any:
    if isinstance(value, (Fraction, Path)):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table that keeps to the terminal's width; plain text where there is no terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", show_header=any(columns), box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    width = None if sys.stdout.isatty() else 110
    Console(file=sys.stdout, width=width, soft_wrap=False).print(table)


def facts(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A flat or nested report as (name, value) rows, names in words."""
    rows: list[tuple[str, str]] = []
    for key, value in report.items():
        name = key.replace("_", " ")
        if isinstance(value, Mapping):
            rows += [(f"{name}: {inner}", shown) for inner, shown in facts(value)]
        else:
            rows.append((name, _shown(value)))
    return rows


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_shown(v) for v in value) or "none"
    return "-" if value is None else str(value)
