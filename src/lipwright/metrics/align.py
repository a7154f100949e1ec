"""Faces brought into one frame: similarity transforms over the points that speech does not move.

A map is 2x3, (a, -b, tx; b, a, ty), and reads as composition: `canonical_from_frame` takes frame pixels to
the canonical aligned face.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.ibug import RIGID

F64 = NDArray[np.float64]


def fit_similarity(source: NDArray[Any], target: NDArray[Any]) -> F64:
    """Least-squares similarities (…, 2, 3) that take `source` (…, K, 2) to `target` (…, K, 2).

    Closed form over complex numbers: target = m source + t, m = <source, target> / |source|^2 on centred
    points (no reflection is possible). Source: Umeyama 1991, eq. 40-42, in two dimensions.
    """
    s = _complex(source)
    t = _complex(target)
    s_mean, t_mean = s.mean(-1, keepdims=True), t.mean(-1, keepdims=True)
    s_c, t_c = s - s_mean, t - t_mean
    energy = (np.abs(s_c) ** 2).sum(-1)
    m = (np.conj(s_c) * t_c).sum(-1) / np.maximum(energy, 1e-12)
    shift = t_mean[..., 0] - m * s_mean[..., 0]
    rows = [np.stack([m.real, -m.imag, shift.real], -1), np.stack([m.imag, m.real, shift.imag], -1)]
    return np.asarray(np.stack(rows, -2), dtype=np.float64)


def apply(maps: F64, points: NDArray[Any]) -> F64:
    """(…, K, 2) points through (…, 2, 3) maps."""
    return np.asarray(np.einsum("...ij,...kj->...ki", maps[..., :2], points) + maps[..., None, :, 2])


def invert(maps: F64) -> F64:
    """Inverse of similarity maps (…, 2, 3)."""
    linear = np.linalg.inv(maps[..., :2])
    return np.concatenate([linear, -linear @ maps[..., 2:]], axis=-1)


def canonical_shape(landmarks_px: NDArray[Any], points: Sequence[int] = RIGID, rounds: int = 3) -> F64:
    """(68, 2) mean face of a (T, 68, 2) track in its own pixel scale, aligned on `points`.

    Generalised Procrustes analysis (Gower 1975): every frame is fitted to the running mean, which starts as
    the median frame, and keeps the mean scale and position of the track, so distances stay in pixels.
    """
    track = np.asarray(landmarks_px, dtype=np.float64)
    index = list(points)
    mean = np.median(track, axis=0)
    for _ in range(rounds):
        maps = fit_similarity(track[:, index], np.broadcast_to(mean[index], track[:, index].shape))
        mean = apply(maps, track).mean(axis=0)
    return mean


def canonical_from_frame(
    landmarks_px: NDArray[Any], shape: NDArray[Any], points: Sequence[int] = RIGID
) -> F64:
    """(T, 2, 3) similarities from every frame of a track to `shape` (68, 2), fitted on `points`."""
    track = np.asarray(landmarks_px, dtype=np.float64)
    index = list(points)
    return fit_similarity(track[:, index], np.broadcast_to(np.asarray(shape)[index], track[:, index].shape))


def _complex(points: NDArray[Any]) -> NDArray[np.complex128]:
    p = np.asarray(points, dtype=np.float64)
    return np.asarray(p[..., 0] + 1j * p[..., 1], dtype=np.complex128)
