"""Curves from one frame rate to another: positions are exact fractions, only the values are floats."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32


def positions(first: int, stop: int, rate: Fraction, source_rate: Fraction) -> tuple[NDArray[np.int64], F32]:
    """Where frames [first, stop) at `rate` lie in a series at `source_rate`: (row before, share towards the next)."""
    step = source_rate / rate
    if step == 1:
        return np.arange(first, stop), np.zeros(stop - first, np.float32)
    whole, part = [], []
    for frame in range(first, stop):
        at = frame * step
        row = at.numerator // at.denominator
        whole.append(row)
        part.append(float(at - row))
    return np.array(whole, np.int64), np.array(part, np.float32)


def linear(values: F32, rows: NDArray[np.int64], share: F32) -> F32:
    """Straight lines between the rows of `values` (N, ...); beyond the ends the first and last row hold."""
    last = len(values) - 1
    before = values[np.clip(rows, 0, last)]
    if not share.any():
        return before
    weight = _column(share, values.ndim)
    return (before + weight * (values[np.clip(rows + 1, 0, last)] - before)).astype(np.float32)


def cubic(values: F32, rows: NDArray[np.int64], share: F32) -> F32:
    """Catmull-Rom through the rows of `values` (N, ...), ends held: keeps the extremes that lines would cut off.

    Catmull and Rom 1974, tension 1/2. Whole positions give the rows themselves, bit for bit.
    """
    last = len(values) - 1
    a, b, c, d = (values[np.clip(rows + k, 0, last)] for k in (-1, 0, 1, 2))
    if not share.any():
        return b
    t = _column(share, values.ndim)
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.where(t == 0, b, curve).astype(np.float32)


def _column(share: F32, ndim: int) -> F32:
    return share.reshape(-1, *([1] * (ndim - 1)))
