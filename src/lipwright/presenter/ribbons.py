"""Strands as thin ribbons of triangles, for hair and lashes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32
from lipwright.face.raster import I32


@dataclass(frozen=True)
class Ribbons:
    """Static strands in head space."""

    points: F32
    """(V, 3)."""
    tangents: F32
    """(V, 3) unit directions from root to tip."""
    colour: F32
    """(V, 3) linear light."""
    shade: F32
    """(V,) occlusion, 0 deep inside to 1 outside."""
    triangles: I32
    """(F, 3), strand after strand."""
    strands: int
    """Number of strands."""


def ribbons(paths: F32, width_cm: F32, colour: F32, shade: F32, outward: F32) -> Ribbons:
    """Ribbons of constant width that taper at the tip.

    Args:
        paths: (N, K, 3) points from root to tip. width_cm: (N,). colour: (N, 3).
        shade: (N, K). outward: (N, 3) direction the flat side faces.
    """
    n, k = paths.shape[:2]
    tangent = np.gradient(paths, axis=1)
    tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True) + 1e-9
    across = np.cross(tangent, outward[:, None])
    across /= np.linalg.norm(across, axis=-1, keepdims=True) + 1e-9
    taper = np.linspace(1, 0.25, k, dtype=np.float32)
    offset = across * (width_cm[:, None] * taper)[..., None] / 2
    points = np.stack([paths - offset, paths + offset], axis=2).reshape(-1, 3)
    base = (np.arange(n)[:, None] * 2 * k + 2 * np.arange(k - 1)).reshape(-1, 1)
    quads = base + np.array([[0, 1, 2, 1, 3, 2]])
    return Ribbons(
        points.astype(np.float32),
        np.repeat(tangent, 2, axis=1).reshape(-1, 3).astype(np.float32),
        np.repeat(colour, 2 * k, axis=0).astype(np.float32),
        np.repeat(shade.reshape(-1), 2).astype(np.float32),
        quads.reshape(-1, 3).astype(np.int32),
        n,
    )
