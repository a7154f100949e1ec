"""Which pairs a persona of meta-talk learns from."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lipwright.core.errors import ConfigError, SubjectError
from lipwright.core.progress import Silent
from lipwright.face.morphable.fit import Fit
from lipwright.face.morphable.model import neutral
from lipwright.face.morphable.person import build
from lipwright.motion.expression_pairs import PSEUDO, ExpressionPairs, of_stretch
from lipwright.recipes import expression_pairs as recipe
from lipwright.recipes.expression_pairs import PairsConfig, divided_settings, gathered
from lipwright.subject.store import Subject
from lipwright.train.loop import Budget
from lipwright.train.run import Run


def test_minutes_follow_the_budget() -> None:
    auto = PairsConfig()
    # A fifth of an hour at 12 frames a second is 8640 frames of the 1500 a minute has.
    assert auto.minutes(Budget(seconds=3600)) == pytest.approx(8640 / 1500)
    assert auto.minutes(Budget(steps=500)) == 0
    assert PairsConfig(pseudo_minutes=3).minutes(Budget(steps=500)) == 3
    assert PairsConfig(teacher="none", pseudo_minutes=3).minutes(Budget(seconds=60)) == 0
    assert auto.minutes(Budget(seconds=1e9)) == 60


def test_settings_are_divided_and_wrong_ones_named() -> None:
    pairs, others = divided_settings({"teacher": "direct", "size": "512", "pseudo_minutes": "2.5"})
    assert (pairs.teacher, pairs.pseudo_minutes, others) == ("direct", 2.5, {"size": "512"})
    with pytest.raises(ConfigError, match="unknown teacher 'nobody'; available: auto, none, memory"):
        PairsConfig(teacher="nobody")
    with pytest.raises(ConfigError, match="is negative"):
        PairsConfig(pseudo_minutes=-1)


@pytest.fixture
def fit(subject: Subject) -> Fit:
    model = build(subject.track)
    count = len(subject)
    c = neutral(model, count)
    moved = np.random.default_rng(0).normal(size=c.expression.shape).astype(np.float32)
    return Fit(model, dataclasses.replace(c, expression=moved), np.ones(count, np.float32))


def test_own_and_pseudo_pairs_are_joined_and_counted(
    subject: Subject, fit: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, 0, "cpu", False, Silent())
    own, facts = gathered(subject, fit, None, PairsConfig(), "logmel", Budget(steps=5), run)  # type: ignore[arg-type]
    assert facts == {"own": 250, "pseudo": 0, "teacher": "none"}
    part, _ = gathered(subject, fit, None, PairsConfig(), "logmel", Budget(steps=5), run, "train")  # type: ignore[arg-type]
    assert len(part) == len(subject.split("train"))

    def told(*given: Any, **_: Any) -> ExpressionPairs:
        features = {"logmel": np.zeros((400, 80), np.float32)}
        expression = np.zeros((100, own.expression.shape[1]), np.float32)
        return of_stretch(features, expression, np.r_[np.zeros(10), np.ones(90)], PSEUDO, own.lips)

    monkeypatch.setattr(recipe, "portrait", lambda *_: None)
    monkeypatch.setattr(recipe, "make_teacher", lambda *_: None)
    monkeypatch.setattr(recipe, "pseudo_pairs", told)
    asked = PairsConfig(teacher="memory", pseudo_minutes=1)
    both, facts = gathered(subject, fit, None, asked, "logmel", Budget(steps=5), run)  # type: ignore[arg-type]
    assert (len(both), facts) == (350, {"own": 250, "pseudo": 90, "teacher": "memory"})


def test_a_teacher_that_fails_is_an_error_only_where_it_was_named(
    subject: Subject, fit: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, 0, "cpu", False, Silent())

    def nothing(*_: Any) -> None:
        raise SubjectError("no 2 s in a row")

    monkeypatch.setattr(recipe, "portrait", nothing)
    budget = Budget(seconds=600)
    _, facts = gathered(subject, fit, None, PairsConfig(), "logmel", budget, run)  # type: ignore[arg-type]
    assert (facts["pseudo"], facts["without"]) == (0, "no 2 s in a row")
    with pytest.raises(SubjectError, match="no 2 s"):
        gathered(subject, fit, None, PairsConfig(teacher="memory"), "logmel", budget, run)  # type: ignore[arg-type]
