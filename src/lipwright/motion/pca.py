"""Principal components of the mouth: 13 numbers for 20 points (papers A and B)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError, SubjectError

COMPONENTS = 13


@dataclass(frozen=True)
class MouthPca:
    """An unwhitened orthonormal basis of the 40-D mouth (x0, y0, x1, y1, …), fitted on training frames."""

    mean: F32
    """(40,)."""
    basis: F32
    """(13, 40), rows orthonormal, largest variance first, sign: largest entry of a row is positive."""
    explained: float
    """Share of the training variance that the components hold."""

    @classmethod
    def fit(cls, mouths: NDArray[np.floating], components: int = COMPONENTS) -> MouthPca:
        """Fit on (N, 20, 2) or (N, 40) mouths; SubjectError with fewer frames than components."""
        flat = np.asarray(mouths, np.float64).reshape(len(mouths), -1)
        if len(flat) <= components:
            raise SubjectError(f"{len(flat)} frames cannot give {components} mouth components; use longer footage")
        mean = flat.mean(axis=0)
        _, values, rows = np.linalg.svd(flat - mean, full_matrices=False)
        rows = rows[:components]
        rows *= np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)])[:, None]
        total = float((values**2).sum())
        explained = float((values[:components] ** 2).sum()) / total if total > 0 else 1.0
        return cls(mean.astype(np.float32), rows.astype(np.float32), explained)

    def encode(self, mouths: F32) -> F32:
        """(…, 20, 2) or (…, 40) to (…, 13)."""
        size = len(self.mean)
        points = mouths.shape[-2:] == (size // 2, 2)
        if not points and mouths.shape[-1:] != (size,):
            raise ShapeError("mouths", ("…", size), mouths.shape)
        flat = mouths.reshape(*mouths.shape[:-2], size) if points else mouths
        return (flat - self.mean) @ self.basis.T

    def decode(self, coefficients: F32) -> F32:
        """(…, 13) to (…, 20, 2)."""
        flat = coefficients @ self.basis + self.mean
        return flat.reshape(*flat.shape[:-1], -1, 2)
