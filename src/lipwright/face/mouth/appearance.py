"""A mouth's points from its picture: Gaussian process regression on principal components of the pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from lipwright.core.contracts import F32, U8
from lipwright.face.mouth.crop import SIZE

F64 = NDArray[np.float64]

_HALF = (SIZE[0] // 2, SIZE[1] // 2)
_COMPONENTS = 60
_CHROMA = 2.0
"""Weight of the colour differences: lips differ from skin by colour more than by brightness."""
_BELL = 0.2
"""Of the kernel exp(-bell · d²), with components scaled to a mean square of 1 in all."""
_LINEAR = 0.3
"""Share of the linear kernel: it follows shapes between and beyond the ones that were seen."""
_NOISE = 0.1
"""Variance of the tracker's error, of the kernel's."""
SHIFTS = ((0, 0), (2, 0), (-2, 0), (0, 2), (0, -2))
"""Crop px by which every mouth is shown moved as well: the points must move along."""


@dataclass(frozen=True)
class Looks:
    """Principal components of a person's mouth pictures."""

    mean: F32
    basis: F32
    scale: float

    @classmethod
    def fit(cls, crops: U8) -> Looks:
        """From (N, 80, 112, 3) RGB crops."""
        pixels = _pixels(crops)
        mean = pixels.mean(0)
        centred = pixels - mean
        # Eigenvectors of the small matrix: there are many more pixels than mouths.
        energies, mixes = np.linalg.eigh((centred @ centred.T).astype(np.float64))
        kept = energies > max(1e-6 * energies[-1], 1e-9)
        energies, mixes = energies[kept][-_COMPONENTS:], mixes[:, kept][:, -_COMPONENTS:]
        basis = centred.T @ (mixes / np.sqrt(energies)).astype(np.float32)
        return cls(mean, basis, max(float(np.sqrt(energies.sum() / len(crops))), 1e-6))

    def __call__(self, crops: U8, shift: tuple[int, int] = (0, 0)) -> F64:
        """(N, D) components of crops, moved by `shift` px."""
        moved = np.roll(crops, shift, (2, 1)) if any(shift) else crops
        return ((_pixels(moved) - self.mean) @ self.basis / self.scale).astype(np.float64)


def _pixels(crops: U8) -> F32:
    """(N, P) colours at half size, each channel of each crop around its mean: light does not count."""
    rows = np.empty((len(crops), _HALF[1], _HALF[0], 3), np.float32)
    for row, crop in zip(rows, crops, strict=True):
        row[:] = cv2.cvtColor(cv2.resize(crop, _HALF, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2YCrCb)
    rows -= rows.mean((1, 2), keepdims=True)
    rows[..., 1:] *= _CHROMA
    # Borders are left out: they wrap around in moved crops.
    return rows[:, 2:-2, 2:-2].reshape(len(crops), -1)


class PointsFromLooks:
    """Gaussian process from components to points.

    Args:
        looks: (N, D) of training mouths, moved ones included.
        points: (N, K, 2) their points in crop px.
    """

    def __init__(self, looks: F64, points: F32) -> None:
        self._looks, self._mean = looks, points.mean(0, dtype=np.float64)
        system = _kernel(looks, looks)
        system[np.diag_indices(len(system))] += _NOISE
        self._factor = cho_factor(system, lower=True, overwrite_a=True)
        self._weights = cho_solve(self._factor, (points - self._mean).reshape(len(points), -1))

    def __call__(self, looks: F64, tracked: F32) -> F32:
        """(M, D) components and the tracker's points (M, K, 2) to the likeliest points.

        Both are measurements: what the process is unsure of, a mouth unlike all others, stays with the tracker.
        """
        near = _kernel(looks, self._looks)
        predicted = (near @ self._weights).reshape(tracked.shape) + self._mean
        unsure = (1 + _LINEAR * (1 + (looks**2).sum(1)) - (near * cho_solve(self._factor, near.T).T).sum(1)).clip(min=0)
        share = (unsure / (unsure + _NOISE))[:, None, None]
        return ((1 - share) * predicted + share * tracked).astype(np.float32)


def _kernel(a: F64, b: F64) -> F64:
    product = a @ b.T
    distance = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * product
    values: F64 = np.exp(-_BELL * distance.clip(min=0)) + _LINEAR * (1 + product)
    return values
