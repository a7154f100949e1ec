"""Pseudo pairs get the person's own spread of the lips' gap, and keep everything else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.face.morphable import drawn

from lipwright.face.morphable.fit import Fit
from lipwright.motion.expression_lips import gap_of
from lipwright.motion.expression_pairs import PSEUDO, ExpressionPairs, lips_of, of_stretch
from lipwright.recipes.teacher.widening import as_wide

COUNT = 200


def _fit() -> Fit:
    model, few = drawn.face(), drawn.truth(COUNT)
    moved = np.random.default_rng(1).normal(0, 1, few.expression.shape).astype(np.float32)
    return Fit(model, replace(few, expression=moved), np.ones(COUNT, np.float32))


def _shrunken(fit: Fit, share: float) -> ExpressionPairs:
    told = share * fit.coefficients.expression + 0.1
    rows = {"logmel": np.zeros((4 * COUNT, 80), np.float32)}
    return of_stretch(rows, told, np.ones(COUNT, np.float32), PSEUDO, lips_of(fit.model))


@pytest.mark.parametrize(("share", "reached"), [(0.6, 1.0), (0.25, 0.5), (1.5, 1.5)])
def test_the_gap_spreads_as_the_persons_own_within_limits(share: float, reached: float) -> None:
    """Shrunken lips are widened at most twofold, and wide ones are never narrowed."""
    fit = _fit()
    still, gap = gap_of(fit.model, fit.coefficients.geometry)
    own = still + fit.coefficients.expression @ gap
    made = as_wide(_shrunken(fit, share), fit, np.ones(COUNT, bool))
    told = still + made.expression @ gap
    assert told.std() == pytest.approx(reached * own.std(), rel=1e-3)
    assert told.mean() == pytest.approx(own.mean(), abs=1e-4)
    assert np.corrcoef(told, own)[0, 1] == pytest.approx(1, abs=1e-5)


def test_each_frame_moves_along_one_direction_alone() -> None:
    fit = _fit()
    pairs = _shrunken(fit, 0.6)
    change = as_wide(pairs, fit, np.ones(COUNT, bool)).expression - pairs.expression
    values = np.linalg.svd(change, compute_uv=False)
    assert values[0] > 1
    assert values[1] < 1e-4 * values[0]


def test_where_nothing_counts_nothing_changes() -> None:
    fit = _fit()
    pairs = _shrunken(fit, 0.6)
    assert as_wide(pairs, fit, np.zeros(COUNT, bool)) is pairs
    unseen = replace(pairs, weight=np.zeros(COUNT, np.float32))
    assert as_wide(unseen, fit, np.ones(COUNT, bool)) is unseen
