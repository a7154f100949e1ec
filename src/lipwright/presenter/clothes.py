"""Jacket, shirt and tie: parametric patches around the shoulders and the neck of the bust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.face.raster import I32, vertex_normals
from lipwright.presenter.look import RGB, Look, linear
from lipwright.presenter.noise import fractal_noise

F64 = NDArray[np.float64]

_Y = [-9.0, -11.0, -12.0, -13.0, -14.2, -15.6, -17.2, -19.5, -23.0]
_HALF_WIDTH = [6.4, 7.4, 8.9, 11.4, 14.4, 17.2, 19.0, 20.4, 21.3]
_HALF_DEPTH = [5.6, 6.0, 6.5, 7.2, 8.0, 8.8, 9.6, 10.4, 11.2]
_CENTRE_Z = [-1.6, -1.7, -1.9, -2.1, -2.3, -2.4, -2.4, -2.3, -2.2]


@dataclass(frozen=True)
class Clothes:
    """A static mesh."""

    points: F32
    """(V, 3)."""
    normals: F32
    """(V, 3)."""
    colour: F32
    """(V, 3) linear light."""
    triangles: I32
    """(F, 3)."""


def dress(look: Look) -> Clothes:
    """Jacket with lapels, shirt with collar, and tie."""
    patches = [
        _patch(_shirt, 60, 60, look.shirt, 1),
        _patch(_tie, 16, 60, look.tie, 2),
        _patch(_knot, 14, 14, look.tie, 3),
    ]
    for side in (-1.0, 1.0):
        patches += [
            _patch(partial(_jacket, side=side), 90, 70, look.jacket, 4),
            _patch(partial(_lapel, side=side), 24, 70, look.jacket, 5, 1.30),
            _patch(partial(_collar, side=side), 70, 20, look.shirt, 6),
        ]
    points, triangles, colour, offset = [], [], [], 0
    for p, t, c in patches:
        points.append(p)
        triangles.append(t + offset)
        colour.append(c)
        offset += len(p)
    mesh, faces = np.concatenate(points), np.concatenate(triangles)
    normals = vertex_normals(mesh, faces)
    # patches are seen from outside only; make every normal face away from the body's axis
    outward = mesh - np.array([0, -22, -4], np.float32)
    normals *= np.sign((normals * outward).sum(axis=1, keepdims=True) + 1e-9).astype(np.float32)
    return Clothes(mesh, normals, np.concatenate(colour), faces)


def _patch(
    surface: Callable[[F64, F64], F64], columns: int, rows: int, tone: RGB, seed: int, gain: float = 1.0
) -> tuple[F32, I32, F32]:
    s, t = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    points = surface(s.ravel(), t.ravel()).astype(np.float32)
    fold = fractal_noise(points * np.array([1, 0.5, 1], np.float32), 0.28, 700 + seed)
    weave = fractal_noise(points, 5.0, 720 + seed, 2)
    points[:, 2] += 0.22 * fold
    colour = linear(tone)[None] * (gain * (1 + 0.06 * weave + 0.05 * fold))[:, None]
    i = np.arange(rows * columns).reshape(rows, columns)
    quads = np.stack([i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]], axis=-1).reshape(-1, 4)
    faces = np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]]).astype(np.int32)
    return points, faces, colour.astype(np.float32)


def _body(y: F64, angle: F64, out: F64 | float) -> F64:
    """Points of the torso at a height and an angle from the front, `out` centimetres off it."""
    a, b, z = (np.interp(-y, [-v for v in _Y], table) for table in (_HALF_WIDTH, _HALF_DEPTH, _CENTRE_Z))
    return np.stack([(a + out) * np.sin(angle), y, z + (b + out) * np.cos(angle)], axis=1)


def _angle_at(x: F64, y: F64, out: float) -> F64:
    a = np.interp(-y, [-v for v in _Y], _HALF_WIDTH) + out
    return np.asarray(np.arcsin(np.clip(x / a, -1, 1)))


def _opening(y: F64) -> F64:
    """Half width of the jacket's V at a height."""
    return np.asarray(np.interp(-y, [10.0, 12.2, 14.0, 23.0, 34.0], [6.6, 6.3, 5.5, 3.1, 0.4]))


def _shirt(s: F64, t: F64) -> F64:
    y = -12.6 - 10.4 * t
    return _body(y, (s - 0.5) * 1.5, 0.0)


def _tie(s: F64, t: F64) -> F64:
    y = -14.3 - 8.7 * t
    half = 0.95 + 0.75 * t
    x = (2 * s - 1) * half
    points = _body(y, _angle_at(x, y, 0.5), 0.5)
    points[:, 2] += 0.35 * np.cos((s - 0.5) * np.pi)
    return points


def _knot(s: F64, t: F64) -> F64:
    y = -12.5 - 2.2 * t
    half = 1.28 - 0.42 * t
    x = (2 * s - 1) * half
    points = _body(y, _angle_at(x, y, 0.7), 0.7)
    points[:, 2] += 0.85 * np.cos((s - 0.5) * np.pi) * (0.75 + 0.25 * np.sin(np.pi * t))
    return points


def _jacket(s: F64, t: F64, side: float) -> F64:
    y = -11.3 - 11.7 * t
    edge = _angle_at(_opening(y), y, 0.7)
    angle = edge + (1.25 * np.pi / 2 * 1.25 - edge) * s
    points = _body(y, angle, 0.7)
    points[:, 0] *= side
    return points


def _lapel(s: F64, t: F64, side: float) -> F64:
    y = -11.2 - 11.8 * t
    width = np.interp(t, [0, 0.18, 0.40, 0.44, 0.47, 1.0], [1.4, 2.3, 3.4, 3.3, 4.3, 3.7])
    x = _opening(y) - 0.15 + width * s
    out = 0.85 + 0.55 * np.sin(np.pi * np.clip(1 - s, 0, 1) * 0.5) * (0.4 + 0.6 * s)
    points = _body(y - 0.25 * s, _angle_at(x, y, 0.9), out)
    points[:, 0] *= side
    return points


def _collar(s: F64, t: F64, side: float) -> F64:
    """A folded collar: s from the front to the nape, t from the fold down to the points."""
    angle = 0.13 + (np.pi - 0.13) * s
    back = 0.5 - 0.5 * np.cos(angle)
    fold_y = -11.0 + 2.8 * back
    drop = 2.7 + 2.3 * np.exp(-(((angle - 0.42) / 0.36) ** 2))
    lean = 0.15 + 1.25 * t
    x = (6.15 + lean) * np.sin(angle) * 0.98
    z = -1.35 + (6.05 + lean + 1.0 * t * np.cos(angle).clip(0, 1)) * np.cos(angle)
    x = x + t * 1.1 * np.exp(-(((angle - 0.42) / 0.4) ** 2))
    return np.stack([side * x, fold_y - drop * t, z], axis=1)
