"""Is this the same person? A light description without a trained model, for shots of one piece of footage.

It compares the shape of the rigid mesh points (three-dimensional, so a turn costs little) and the pattern of
colours over the face (beard, brows, cheeks; its overall level is left out, light changes between shots). It
is meant to join shots of one film, not to recognise anybody: between films, light and lenses differ more than
some people do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.face.skin import UPPER

_EYE_CORNERS = (33, 263)
RIGID_MESH = [*UPPER, 33, 133, 362, 263, 70, 300, 107, 336, 234, 454, 127, 356, 162, 389, 93, 323, 132, 361]
"""Mesh points that speech does not move: forehead, nose, cheeks, eye corners, brows, the sides of the face."""
_SHAPE_UNIT = 0.03
_COLOUR_UNIT = 10.0
"""Distances between usual strangers, so that 1 means as different as strangers are."""
SAME = 0.42
"""Likeness distance under which two tracklets of one film are one person."""
SAME_IN_PLACE = 0.52
"""The same, when the face is where and as large as it was before the cut (a jump cut)."""


@dataclass(frozen=True)
class Likeness:
    """One person in one shot."""

    shape: F32
    """(R, 3) rigid points, centre at the origin, outer eye corners one apart."""
    colour: F32
    """(P, 3) luma relative to its median (times 100), chroma less its median."""


def likeness(dense_px: Sequence[F32], skin: Sequence[U8]) -> Likeness:
    """Describe a face from some frames: meshes (478, 3) and `face.skin` signatures, the same number of both."""
    shapes = [_unit(mesh[RIGID_MESH]) for mesh in dense_px]
    turned = [_onto(shape, shapes[0]) for shape in shapes]
    values = np.stack(skin).astype(np.float32)
    level = np.maximum(np.median(values[..., :1], axis=1, keepdims=True), 16.0)
    values[..., :1] *= 100 / level
    values[..., 1:] -= np.median(values[..., 1:], axis=1, keepdims=True)
    return Likeness(np.median(turned, axis=0).astype(np.float32), np.median(values, axis=0).astype(np.float32))


def distance(a: Likeness, b: Likeness) -> float:
    """0 the same, about 1 strangers: the mean of shape and colour distances in units of usual strangers."""
    shape = float(np.sqrt(((_onto(a.shape, b.shape) - b.shape) ** 2).sum(1).mean())) / _SHAPE_UNIT
    colour = float(np.abs(a.colour - b.colour).mean()) / _COLOUR_UNIT
    return 0.5 * (shape + colour)


def _unit(points: F32) -> F32:
    centred = points - points.mean(0)
    eyes = [RIGID_MESH.index(k) for k in _EYE_CORNERS]
    return np.asarray(centred / max(float(np.linalg.norm(centred[eyes[1]] - centred[eyes[0]])), 1e-6), np.float32)


def _onto(points: F32, target: F32) -> F32:
    """Rotated and scaled onto the target, both centred (Kabsch 1976, scale by least squares)."""
    u, size, v = np.linalg.svd(points.T @ target)
    sign = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ v))]).astype(np.float32)
    scale = float((size * np.diag(sign)).sum() / max(float((points**2).sum()), 1e-9))
    return np.asarray(points @ (u @ sign @ v) * scale, np.float32)
