"""The JSON file of a table whose rows are trained one by one: it is written after every row and gone on with later."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.core.errors import ConfigError
from lipwright.core.png import write_png

if TYPE_CHECKING:
    from lipwright.core.contracts import U8
    from lipwright.subject.store import Subject


def opened(file: Path, settings: dict[str, Any], command: str) -> dict[str, Any]:
    """What is there, or an empty table; ConfigError when it was made with other settings.

    Args: `settings` are what must be alike for rows to stand in one table; `command` is the one that writes it.
    """
    if not file.is_file():
        return {**settings, "subjects": {}}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        different = [key for key, value in settings.items() if found[key] != value]
        found["subjects"].values()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{file} is not a table of `{command}`; choose another file") from error
    if different:
        raise ConfigError(
            f"{file} was made with another {different[0]} ({found[different[0]]}, asked {settings[different[0]]}); "
            "choose another file"
        )
    return dict(found)


def of_subject(found: dict[str, Any], subject: Subject, file: Path, names: Sequence[str]) -> dict[str, Any]:
    """The rows of a subject by name, those that are not there yet as not run; ConfigError for another's of its name."""
    source = subject.info["source"]["sha256"]
    entry = found["subjects"].setdefault(subject.path.name, {"source": source, "rows": {}})
    if entry["source"] != source:
        raise ConfigError(f"{file} holds rows of another subject named {subject.path.name}; choose another file")
    rows: dict[str, Any] = entry["rows"]
    for name in names:
        rows.setdefault(name, {"status": "not run"})
    return rows


def write_picture(file: Path, subject: Subject, name: str, rgb8: U8) -> None:
    """A PNG in a folder beside the table."""
    write_png(file.with_suffix(".pictures") / subject.path.name / f"{name}.png", rgb8)
