"""Fréchet distance between two sets of feature vectors: the arithmetic of FID, for any features.

It may be called FID only over pool3 of the TF-ported Inception network (`metrics.inception`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ShapeError
from lipwright.metrics.bootstrap import LEAST_BLOCKS, LEVEL, Interval, draw_frames


def frechet_distance(real: NDArray[Any], generated: NDArray[Any]) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 sqrt(C1 C2)) of two (N, D) feature sets with sample covariance; >= 0.

    tr sqrt(C1 C2) is the sum of the square roots of the eigenvalues of C1^(1/2) C2 C1^(1/2), which are real
    and non-negative, so no matrix square root of a non-symmetric product is needed.
    Source: Dowson and Landau 1982; Heusel et al. 2017 (FID).
    """
    a, b = np.asarray(real, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ShapeError("generated", ("N >= 2", a.shape[-1]), b.shape)
    shift = a.mean(axis=0) - b.mean(axis=0)
    a, b = ((x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (a, b))
    cross = _few(a, b) if min(len(a), len(b)) < a.shape[1] else _many(a, b)
    return float(max(0.0, shift @ shift + np.sum(a * a) + np.sum(b * b) - 2 * cross))


def frechet_interval(real: NDArray[Any], generated: NDArray[Any], block: int, draws: int = 100) -> Interval | None:
    """95 % interval of the distance of two (N, D) sets whose rows are frames in step; None for short clips.

    Blocks of frames are drawn from both sets together. A drawn set holds frames twice, which raises the
    distance a little: the interval may lie above the value itself.
    """
    if len(real) < LEAST_BLOCKS * block:
        return None
    drawn = [frechet_distance(real[f], generated[f]) for f in draw_frames(len(real), block, draws)]
    low, high = np.percentile(drawn, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)


def _many(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """tr sqrt(A'A B'B) through the D x D covariances."""
    values, vectors = np.linalg.eigh(a.T @ a)
    root_a = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return float(np.sqrt(np.maximum(np.linalg.eigvalsh(root_a @ (b.T @ b) @ root_a), 0)).sum())


def _few(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The same from N x N products: the square roots wanted are the singular values of A B'."""
    return float(np.linalg.svd(a @ b.T, compute_uv=False).sum())
