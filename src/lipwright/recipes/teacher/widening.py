"""Lips of pseudo pairs that part as widely as the person's own.

A teacher's small picture, drawn and fitted again, moves the lips less than the person does (the memory's on a news
presenter: 0.69 of the gap's deviation), and whoever learns from it speaks with a lazy mouth.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lipwright.face.morphable.fit import Fit
from lipwright.motion.expression_lips import gap_of
from lipwright.motion.expression_pairs import ExpressionPairs
from lipwright.motion.lips import opening_of

_MOST = 2.0
"""Greatest factor: what moves less than half as much is not shrunken but wrong."""


def as_wide(pairs: ExpressionPairs, fit: Fit, seen: NDArray[np.bool_]) -> ExpressionPairs:
    """`pairs` with mean and deviation of the inner lips' gap as in the person's own fit.

    Each frame moves along the direction in which this person's coefficients part the lips; nothing else changes.

    Args:
        fit: of the person's own footage; `seen` (T,) its frames that count.
    """
    still, gap = gap_of(fit.model, fit.coefficients.geometry)
    own = still + fit.coefficients.expression.astype(np.float64) @ gap
    told, counts = still + pairs.expression.astype(np.float64) @ gap, pairs.weight > 0
    if not seen.any() or not counts.any() or told[counts].std() == 0:
        return pairs
    opening = opening_of([fit.coefficients.expression], [own[:, None]], seen)
    factor = float(np.clip(own[seen].std() / told[counts].std(), 1, _MOST))
    wanted = own[seen].mean() + factor * (told - told[counts].mean())
    return replace(pairs, expression=(pairs.expression + (wanted - told)[:, None] * opening).astype(np.float32))
