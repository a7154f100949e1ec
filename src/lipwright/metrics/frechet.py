"""Fréchet distance between two sets of feature vectors: the arithmetic of FID, for any features.

It may be called FID only over pool3 of the TF-ported Inception network.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ShapeError


def frechet_distance(real: NDArray[Any], generated: NDArray[Any]) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 sqrt(C1 C2)) of two (N, D) feature sets with sample covariance; >= 0.

    tr sqrt(C1 C2) is the sum of the square roots of the eigenvalues of C1^(1/2) C2 C1^(1/2), which are real
    and non-negative, so no matrix square root of a non-symmetric product is needed.
    Source: Dowson and Landau 1982; Heusel et al. 2017 (FID).
    """
    a, b = np.asarray(real, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ShapeError("generated", ("N >= 2", a.shape[-1]), b.shape)
    cov_a, cov_b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    values, vectors = np.linalg.eigh(cov_a)
    root_a = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root_a @ cov_b @ root_a), 0)).sum()
    shift = a.mean(axis=0) - b.mean(axis=0)
    return float(max(0.0, shift @ shift + np.trace(cov_a) + np.trace(cov_b) - 2 * cross))
