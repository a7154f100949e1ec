"""Measured results as JSON files, and the pages that show them: every number in the docs comes from a file.

A result is what a benchmark writes: the command that made it, the machine, and tables of plain values. A page says
where a result belongs with a pair of comments, `<!-- report: NAME -->` and `<!-- end of NAME -->`; what stands
between them is generated, the rest of the page is written by hand and stays. A section shows NAME.json, or all
NAME-*.json in common tables, whose first column then says which one a row is from.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lipwright.core.errors import ConfigError

SCHEMA = 1
_SECTION = re.compile(r"<!-- report: ([\w-]+) -->\n(.*?)<!-- end of \1 -->", re.DOTALL)


def result(
    command: str, tables: Sequence[Mapping[str, Any]], *, data: Any = None, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """A result of this machine, ready to be written as JSON.

    Args:
        command: what a reader runs to get the same.
        tables: from `table`.
        data: everything measured, for later questions.
        notes: lines shown below the tables.
    """
    from lipwright.cli.machine import machine

    return {
        "schema": SCHEMA,
        "command": command,
        "machine": machine(),
        "tables": list(tables),
        "notes": list(notes),
        "data": data,
    }


def command_line(script: str, arguments: Sequence[str]) -> str:
    """The command of a benchmark for readers: absolute paths, which only exist here, by their last part."""

    def shown(word: str) -> str:
        name, equals, path = word.rpartition("=")
        return f"{name}{equals}{Path(path).name if Path(path).is_absolute() else path}"

    return shlex.join(["python", script, *map(shown, arguments)])


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """One table; cells are numbers, text, booleans or None."""
    return {"title": title, "columns": list(columns), "rows": [list(row) for row in rows]}


def load(folder: Path) -> dict[str, dict[str, Any]]:
    """Results of a folder by file name without suffix; ConfigError when there are none or one is damaged."""
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not files:
        raise ConfigError(f"{folder} holds no results; write some with --json of a benchmark, or name a folder")
    found = {}
    for file in files:
        try:
            found[file.stem] = _known(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"{file} is not a result of a benchmark ({error}); write it again") from error
    return found


def _known(given: Mapping[str, Any]) -> dict[str, Any]:
    """A result; those of `lipwright bench` get their tables here."""
    from lipwright.cli.bench import meta_talk_tables, tables, virtual_human_tables

    if "measures" in given:
        return {"notes": [], **tables.of_measures(given)}
    if given.get("benchmark") == "render ablations":
        return {"notes": [], **tables.of_ablations(given)}
    if given.get("benchmark") == "virtual-human":
        return {"notes": [], **virtual_human_tables.of_virtual_human(given)}
    if given.get("benchmark") == "meta-talk":
        return {"notes": [], **meta_talk_tables.of_meta_talk(given)}
    if given["schema"] != SCHEMA:
        raise ValueError(f"schema {given['schema']}, this version reads {SCHEMA}")
    _where(given["machine"])  # what a page shows of it must be there
    for one in given["tables"]:
        title, width = one["title"], len(one["columns"])
        if any(len(row) != width for row in one["rows"]):
            raise ValueError(f"table '{title}' has rows of another length than its columns")
    return {key: given[key] for key in ("command", "machine", "tables", "notes")}


def fill(page: str, results: Mapping[str, Mapping[str, Any]]) -> tuple[str, list[str]]:
    """(the page with every section of a known result made anew, names of sections whose result is missing)."""
    opened = re.findall(r"<!-- report: ([\w-]+) -->", page)
    whole = [name for name, _ in _SECTION.findall(page)]
    if opened != whole:
        broken = next(name for name in opened if name not in whole)
        raise ConfigError(f"the section '{broken}' has no end; write <!-- end of {broken} --> after it")
    shown = {name: parts(name, results) for name in whole}

    def section(match: re.Match[str]) -> str:
        found = shown[match[1]]
        names = [name for name in found if name != match[1]]
        inside = markdown(*found.values(), names=names) if found else match[2]
        return f"<!-- report: {match[1]} -->\n{inside}<!-- end of {match[1]} -->"

    return _SECTION.sub(section, page), [name for name, found in shown.items() if not found]


def parts(section: str, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """What a section shows: its own result, or those named after it by the rest of their names."""
    if section in results:
        return {section: results[section]}
    start = f"{section}-"
    return {name.removeprefix(start): found for name, found in results.items() if name.startswith(start)}


def markdown(*given: Mapping[str, Any], names: Sequence[str] = ()) -> str:
    """One section: the commands, where they ran, the tables, the notes.

    With `names`, one per result, tables of the same title become one, with these in its first column.
    """
    commands = "\n".join(dict.fromkeys(one["command"] for one in given))
    where = [_where(one["machine"]) for one in given]
    if names:
        where = [f"{name}: {line}" for name, line in zip(names, where, strict=True)]
    shown = _joined(given, names) if names else given[0]["tables"]
    notes = dict.fromkeys(note for one in given for note in one["notes"])
    return "\n\n".join([f"```bash\n{commands}\n```", "  \n".join(where), *map(table_lines, shown), *notes]) + "\n"


def table_lines(one: Mapping[str, Any]) -> str:
    """One table in markdown, its title above it."""
    head = [f"**{one['title']}**", ""] if one["title"] else []
    lines = [f"| {' | '.join(one['columns'])} |", "|---" * len(one["columns"]) + "|"]
    return "\n".join([*head, *lines, *(f"| {' | '.join(map(cell, row))} |" for row in one["rows"])])


def _joined(given: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Tables of the same title below each other; a column that one of them lacks stays empty there."""
    titles = dict.fromkeys(one["title"] for result in given for one in result["tables"])
    joined = []
    for title in titles:
        same = [
            (name, t)
            for name, result in zip(names, given, strict=True)
            for t in result["tables"]
            if t["title"] == title
        ]
        columns = list(dict.fromkeys(column for _, one in same for column in one["columns"]))
        rows = [
            [name, *(dict(zip(one["columns"], row, strict=True)).get(column) for column in columns)]
            for name, one in same
            for row in one["rows"]
        ]
        joined.append(table(title, ("", *columns), rows))
    return joined


def cell(value: Any) -> str:
    """A value for people: three digits, `-` for none."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def _where(machine: Mapping[str, Any]) -> str:
    commit, day = machine.get("commit"), machine.get("date")
    when = f"Measured{f' on {day}' if day else ''}{f' at commit {commit}' if commit else ''}"
    load = machine.get("load")
    busy = f", load {load:g}" if load else ""
    place = f"{machine['cores']} cores of {machine['processor'] or machine['system']}"
    return f"{when}, lipwright {machine['lipwright']}, on {place}{busy}."
