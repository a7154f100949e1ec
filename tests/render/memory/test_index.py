"""The index against plain sorting of all distances."""

from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.render.memory.index import COMPONENTS, MouthIndex


def rows(n: int, seed: int, noise: float = 0.05) -> F32:
    """A few degrees of freedom in 62 numbers, and noise in all of them."""
    rng = np.random.default_rng(seed)
    free = rng.normal(size=(n, 5)) @ rng.normal(size=(5, 62))
    return (free + noise * rng.normal(size=(n, 62))).astype(np.float32)


def plainly(matrix: F32, wanted: F32, k: int, banned: np.ndarray) -> np.ndarray:
    distance = np.square(matrix - wanted).sum(1)
    distance[banned] = np.inf
    return np.argsort(distance, kind="stable")[:k]


@pytest.mark.parametrize("noise", [0.0, 0.05, 3.0])
def test_exact_however_little_the_components_tell(noise: float) -> None:
    matrix = rows(3000, 1, noise)
    index = MouthIndex(matrix)
    rng = np.random.default_rng(2)
    for wanted in (*rows(10, 3), matrix[7], 50 * matrix[8]):
        banned = rng.choice(3000, 60, replace=False)
        found, distance = index.nearest(wanted, 24, banned)
        np.testing.assert_array_equal(found, plainly(matrix, wanted, 24, banned))
        np.testing.assert_allclose(distance, np.square(matrix[found] - wanted).sum(1))


def test_fewer_rows_than_asked_for() -> None:
    for n in (1, 2, COMPONENTS, 30):
        matrix = rows(n, 4)
        found, _ = MouthIndex(matrix).nearest(matrix[0], 24)
        np.testing.assert_array_equal(found, plainly(matrix, matrix[0], 24, np.array([], int)))
    found, distance = MouthIndex(rows(5, 5)).nearest(rows(1, 6)[0], 3, np.arange(5))
    assert len(found) == len(distance) == 0
