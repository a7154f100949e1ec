"""Seeded value noise in space: the grain of skin, hair and cloth, the same at every texture size."""

from __future__ import annotations

import numba
import numpy as np

from lipwright.core.contracts import F32


@numba.njit(cache=True)
def _hash(x: int, y: int, z: int, seed: int) -> np.float64:  # pragma: no cover - compiled
    h = np.uint32(x * 374761393 + y * 668265263 + z * 2147483647 + seed * 1274126177)
    h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(1274126177))
    h = np.uint32((h ^ (h >> np.uint32(15))) * np.uint32(2246822519))
    return np.float64(h ^ (h >> np.uint32(16))) / np.float64(2147483648.0) - np.float64(1.0)


@numba.njit(cache=True)
def _fill(points: F32, seed: int, out: F32) -> None:  # pragma: no cover - compiled
    for i in range(points.shape[0]):
        fx, fy, fz = np.floor(points[i, 0]), np.floor(points[i, 1]), np.floor(points[i, 2])
        ax, ay, az = points[i, 0] - fx, points[i, 1] - fy, points[i, 2] - fz
        ax, ay, az = ax * ax * (3 - 2 * ax), ay * ay * (3 - 2 * ay), az * az * (3 - 2 * az)
        x, y, z = int(fx), int(fy), int(fz)
        total = 0.0
        for dx in range(2):
            for dy in range(2):
                for dz in range(2):
                    w = (ax if dx else 1 - ax) * (ay if dy else 1 - ay) * (az if dz else 1 - az)
                    total += w * _hash(x + dx, y + dy, z + dz, seed)
        out[i] = total


def value_noise(points: F32, per_cm: float, seed: int) -> F32:
    """(...,) smooth noise in [-1, 1] of points (..., 3) in cm, with `per_cm` lattice cells per centimetre."""
    flat = np.ascontiguousarray(points.reshape(-1, 3) * np.float32(per_cm), np.float32)
    out = np.empty(len(flat), np.float32)
    _fill(flat, seed, out)
    return out.reshape(points.shape[:-1])


def fractal_noise(points: F32, per_cm: float, seed: int, octaves: int = 3) -> F32:
    """Octaves of `value_noise`, each of twice the frequency and half the size, in about [-1, 1]."""
    total = np.zeros(points.shape[:-1], np.float32)
    for k in range(octaves):
        total += value_noise(points, per_cm * 2**k, seed + k) * np.float32(0.5**k)
    return total / np.float32(2 - 0.5 ** (octaves - 1))
