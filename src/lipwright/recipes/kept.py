"""Trained parts that rows of a table share: each lies in a file of its own under a key of all that shaped it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from lipwright.core.config import config_key
from lipwright.core.files import make_folder, write_json
from lipwright.motion.model import CascadeMotion
from lipwright.recipes.base import find
from lipwright.recipes.parts import train_motion
from lipwright.subject.store import Subject
from lipwright.train.loop import Budget, TrainingRecord
from lipwright.train.run import Run

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


def kept_motion(subject: Subject, recipe: str, budget: Budget, run: Run) -> CascadeMotion:
    """A recipe's motion model from the run's folder, or trained and written there; its key names its settings."""
    named = find(recipe)
    key = config_key({"motion": named.motion, "budget": budget, "seed": run.seed})
    file = run.work / f"motion-{key}.safetensors"

    def fit() -> tuple[CascadeMotion, TrainingRecord]:
        folder = make_folder(file.with_suffix(""))
        made = train_motion(subject, named, budget, replace(run, work=folder))
        shutil.rmtree(folder, ignore_errors=True)  # checkpoints of what is now whole
        return made

    return kept(file, fit, CascadeMotion.load, lambda motion, to: motion.save(to))[0]
