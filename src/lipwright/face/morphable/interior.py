"""A mouth interior for models that have none: a bag behind the inner lips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.ibug import INNER_LIPS
from lipwright.face.morphable.model import FaceModel

_RINGS = ((0.12, -0.5), (0.35, -1.6), (0.6, -2.6), (0.95, -2.8))
"""How far towards the middle of the lips, and how far behind them in cm."""
_DARK = 0.25
"""Albedo of the bag over the lips'."""


def with_interior(model: FaceModel) -> FaceModel:
    """The model with a bag whose front edge is the ring of inner-lip landmarks; it moves with the lips."""
    ring = model.landmark68.vertices[INNER_LIPS, 0]
    n, size = len(model.mean), len(ring)

    def grown(values: F32, move: bool = False, factor: float = 1.0) -> F32:
        lips = values[..., ring, :]
        middle = lips.mean(-2, keepdims=True)
        rows = [values]
        for share, back in _RINGS:
            row = ((1 - share) * lips + share * middle) * np.float32(factor)
            if move:
                row = row + np.array([0, 0, back], np.float32)
            rows.append(row)
        return np.concatenate(rows, axis=-2).astype(np.float32)

    triangles = [model.triangles]
    for k in range(len(_RINGS)):
        outer = ring if k == 0 else np.arange(n + (k - 1) * size, n + k * size)
        inner = np.arange(n + k * size, n + (k + 1) * size)
        a, b, c, d = outer, np.roll(outer, -1), inner, np.roll(inner, -1)
        triangles += [np.stack([b, a, c], 1), np.stack([b, c, d], 1)]
    return replace(
        model,
        mean=grown(model.mean, move=True),
        geometry=grown(model.geometry),
        expression=grown(model.expression),
        mean_texture=grown(model.mean_texture, factor=_DARK),
        texture=grown(model.texture, factor=_DARK),
        triangles=np.concatenate(triangles).astype(np.int32),
        inside=np.concatenate([model.inside, np.ones(len(_RINGS) * size, bool)]),
    )
