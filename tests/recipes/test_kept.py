"""A table's shared parts: made once, and once more where what shaped them has changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from lipwright.core.progress import Silent
from lipwright.recipes import kept
from lipwright.recipes.base import find
from lipwright.train.loop import Budget, TrainingRecord
from lipwright.train.run import Run


@dataclass
class Part:
    """A motion model that is only its text."""

    text: str

    def save(self, file: Path) -> None:
        """As a file."""
        file.write_text(self.text)

    @classmethod
    def load(cls, file: Path) -> Part:
        """From a file."""
        return cls(file.read_text())


def test_motion_is_trained_once_for_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[float] = []

    def train(subject: Any, recipe: Any, budget: Budget, run: Run) -> tuple[Part, TrainingRecord]:
        (run.work / "motion.checkpoint").write_text("on the way")
        trained.append(recipe.motion.quick)
        return Part(f"motion {len(trained)}"), TrainingRecord(steps=3)

    monkeypatch.setattr(kept, "train_motion", train)
    monkeypatch.setattr(kept, "CascadeMotion", Part)
    run = Run(tmp_path, 0, "cpu", True, Silent())

    def again(budget: Budget = Budget(steps=3), run: Run = run) -> Any:  # noqa: B008  (frozen)
        return kept.kept_motion(None, "instant", budget, run)  # type: ignore[arg-type]  (nobody reads it)

    assert [again().text for _ in range(2)] == ["motion 1"] * 2
    assert not list(tmp_path.rglob("*.checkpoint"))
    assert again(Budget(steps=4)).text == "motion 2"
    assert again(run=replace(run, seed=1)).text == "motion 3"
    changed = replace(find("instant"), motion=replace(find("instant").motion, quick=0.5))
    monkeypatch.setattr(kept, "find", lambda _: changed)
    assert [again().text for _ in range(2)] == ["motion 4"] * 2
    assert trained[-1] == 0.5
