"""Trained parts that rows of a table share: each lies in a file of its own under a key of all that shaped it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from lipwright.core.files import write_json
from lipwright.train.loop import TrainingRecord

Part = TypeVar("Part")


def kept(
    file: Path,
    fit: Callable[[], tuple[Part, TrainingRecord]],
    load: Callable[[Path], Part],
    save: Callable[[Part, Path], None],
) -> tuple[Part, dict[str, Any]]:
    """A part from its file, or trained and written there, and how it was trained; notes of that lie beside it."""
    notes = file.with_suffix(".json")
    if file.is_file() and notes.is_file():
        return load(file), json.loads(notes.read_text(encoding="utf-8"))
    made, record = fit()
    save(made, file)
    facts = {"steps": record.steps, "train_s": round(record.seconds, 1), "best_step": record.best_step, **record.about}
    write_json(notes, facts)
    return made, facts
