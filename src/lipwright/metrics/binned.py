"""A score by what it may depend on: its mean in bins of another number, such as quality by yaw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ShapeError


@dataclass(frozen=True)
class Bin:
    """Values whose other number lies in [low, high)."""

    low: float
    high: float
    count: int
    mean: float
    """nan when there is none."""


def binned(values: NDArray[Any], by: NDArray[Any], edges: Sequence[float]) -> list[Bin]:
    """Means of (N,) `values` in the bins of (N,) `by` between consecutive `edges`; the last bin has its upper edge."""
    v, b = np.asarray(values, np.float64), np.asarray(by, np.float64)
    if v.shape != b.shape or v.ndim != 1:
        raise ShapeError("by", v.shape, b.shape)
    if len(edges) < 2 or any(low >= high for low, high in pairwise(edges)):
        raise ShapeError("edges", (">= 2, rising",), (len(edges),))
    found = []
    for k, (low, high) in enumerate(pairwise(edges)):
        last = k == len(edges) - 2
        inside = (b >= low) & ((b <= high) if last else (b < high))
        mean = float(v[inside].mean()) if inside.any() else float("nan")
        found.append(Bin(float(low), float(high), int(inside.sum()), mean))
    return found
