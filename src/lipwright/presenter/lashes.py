"""Lashes: the model's lash cards cut into single tapering hairs that follow the lids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32
from lipwright.face.ict import I32, VERTEX_RANGES, IctModel

_KEPT = (0, 1, 3)
"""Of the three upper and three lower cards of each eye: all six together look like false lashes."""
_COLUMNS, _ROWS, _SHARE = 38, 3, 0.17


@dataclass(frozen=True)
class Lashes:
    """Hairs whose corners lie between pairs of model vertices."""

    first: I32
    """(V,) model vertex."""
    second: I32
    """(V,) model vertex."""
    mix: F32
    """(V,) 0 at `first`, 1 at `second`."""
    triangles: I32
    """(F, 3) into these V corners."""

    def points(self, vertices: F32) -> F32:
        """(V, 3) corners for posed model vertices."""
        first, second = vertices[self.first], vertices[self.second]
        return np.asarray(first + (second - first) * self.mix[:, None], np.float32)


def cut_lashes(model: IctModel) -> Lashes:
    """One hair per column of every card; the texture grid tells columns and rows."""
    first, end = VERTEX_RANGES["lashes"]
    faces, faces_uv = model.triangles(first, end)
    uv = np.zeros((end - first, 2), np.float32)
    uv[faces.ravel() - first] = model.uv[faces_uv.ravel()]
    a: list[int] = []
    b: list[int] = []
    mix: list[float] = []
    tri: list[tuple[int, int, int]] = []
    size = _COLUMNS * _ROWS
    for card in range((end - first) // size):
        if card % 6 not in _KEPT:
            continue
        part = np.arange(card * size, (card + 1) * size)
        by_v = part[np.argsort(uv[part, 1], kind="stable")].reshape(_ROWS, _COLUMNS)
        by_row = np.stack([row[np.argsort(uv[row, 0], kind="stable")] for row in by_v])
        depth = model.neutral[by_row + first, 2].mean(axis=1)
        rows = by_row if depth[0] < depth[-1] else by_row[::-1]  # the root row lies on the lid, behind the tips
        for c in range(_COLUMNS - 1):
            base = len(a)
            for r, share in enumerate((_SHARE, _SHARE * 0.8)):
                a += [rows[r, c], rows[r, c]]
                b += [rows[r, c], rows[r, c + 1]]
                mix += [0.0, share]
            a.append(rows[-1, c])
            b.append(rows[-1, c + 1])
            mix.append(0.15)
            tri += [
                (base, base + 1, base + 2),
                (base + 1, base + 3, base + 2),
                (base + 2, base + 3, base + 4),
            ]
    return Lashes(
        (np.array(a) + first).astype(np.int32),
        (np.array(b) + first).astype(np.int32),
        np.array(mix, np.float32),
        np.array(tri, np.int32),
    )
