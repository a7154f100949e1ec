"""The nearest of very many mouths, exactly, without looking at all of them.

A KD-tree (Bentley 1975) over the leading principal components of the descriptors. Projection on orthonormal axes never
lengthens a distance, so once the worst of the k best found is no further than the next mouth is in the projection,
nothing nearer is left; until then more are fetched.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from lipwright.core.contracts import F32

COMPONENTS = 8
"""Principal axes in the tree: mouths have about as many degrees of freedom, and trees grow slow beyond."""


class MouthIndex:
    """Exact nearest neighbours among the rows of a matrix."""

    def __init__(self, rows: F32) -> None:
        self._rows = rows
        # Axes from at most a few thousand rows: they need not be the best for the answer to be exact.
        some = rows[:: max(len(rows) // 4096, 1)].astype(np.float64)
        self._mean = some.mean(0)
        _, axes = np.linalg.eigh(np.cov(some - self._mean, rowvar=False) if len(some) > 1 else np.eye(rows.shape[1]))
        self._axes = axes[:, ::-1][:, :COMPONENTS]
        self._tree = cKDTree((rows - self._mean) @ self._axes)

    def nearest(self, wanted: F32, k: int, banned: np.ndarray | None = None) -> tuple[np.ndarray, F32]:
        """(indices, squared distances) of the k rows nearest to `wanted`, nearest first; fewer when there are fewer.

        `banned` rows (unique indices) are left out.
        """
        banned = np.empty(0, np.int64) if banned is None else banned
        point = (wanted.astype(np.float64) - self._mean) @ self._axes
        total = len(self._rows)
        fetch = min(4 * k + len(banned), total)
        while True:
            lower, found = (np.atleast_1d(x) for x in self._tree.query(point, fetch))
            kept = np.sort(found[~np.isin(found, banned)] if len(banned) else found)
            distance = self.distances(wanted, kept)
            best = np.argsort(distance, kind="stable")[:k]
            if fetch == total or (len(best) == k and distance[best[-1]] <= lower[-1] ** 2 * (1 - 1e-5)):
                return kept[best], distance[best]
            fetch = min(4 * fetch, total)

    def distances(self, wanted: F32, which: np.ndarray) -> F32:
        """(K,) squared distances of some rows."""
        result: F32 = np.square(self._rows[which] - wanted).sum(1)
        return result
