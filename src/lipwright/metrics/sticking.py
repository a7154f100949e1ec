"""Texture sticking: fine detail that stays at its place in the picture while the face under it moves.

Skin detail of a real face goes with the face. A network that places detail by its own coordinates leaves it behind;
the face then seems to move behind a patterned pane (the paper names it as a limit and points to StyleGAN3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError
from lipwright.metrics.detail import luma

FINE = 1.5
"""Deviation in pixels of the Gaussian whose result is taken away; detail is what is finer."""
LEAST_PX = 2.0
"""A face must move by more than its detail is wide, or both correlations say the same."""
_LEAST_PAIRS = 3


@dataclass(frozen=True)
class Sticking:
    """Where detail of one frame is found again in another."""

    fixed: float
    """Correlation at the same place of the picture: about 0 for skin that moves, 1 for detail that sticks."""
    moving: float
    """Correlation at the same place of the face: high for real skin, 0 for detail that sticks or is made anew."""
    pairs: int
    """Pairs of frames between which the face moved enough; both correlations are nan below 3."""


def affine_between(source: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
    """(2, 3) least-squares affine map that takes (K, 2) points to (K, 2) others; K >= 3."""
    if source.shape != target.shape or source.ndim != 2 or len(source) < 3:
        raise ShapeError("target", ("K >= 3", 2), target.shape)
    known = np.concatenate([np.asarray(source, np.float64), np.ones((len(source), 1))], 1)
    return np.linalg.lstsq(known, np.asarray(target, np.float64), rcond=None)[0].T


def sticking(
    pictures: Sequence[NDArray[Any]],
    points: F32,
    regions: Sequence[NDArray[np.bool_]],
    pairs: Sequence[tuple[int, int]],
    least_px: float = LEAST_PX,
) -> Sticking:
    """Correlate the fine detail of pairs of frames, once at the same pixels and once along with the face.

    Args:
        pictures: T of one size, RGB uint8 (H, W, 3) or luma (H, W).
        points: (T, K, 2) points of the face around the region, K >= 3: they say how the region moves (affine).
        regions: T masks (H, W) of the skin to look at, without strokes that the picture was drawn from.
        pairs: (s, t) frame numbers; those between which the region moves less than `least_px` are passed over.
    Source: ours.
    """
    sums = np.zeros((2, 3))
    used = 0
    details: dict[int, NDArray[np.float32]] = {}

    def fine(t: int) -> NDArray[np.float32]:
        if t not in details:
            grey = luma(pictures[t])
            details[t] = grey - cv2.GaussianBlur(grey, (0, 0), FINE)
        return details[t]

    for s, t in pairs:
        affine = affine_between(points[s], points[t])
        place = np.argwhere(regions[s])[:, ::-1]
        moved = place @ affine[:, :2].T + affine[:, 2] - place if len(place) else np.zeros((0, 2))
        if not len(moved) or float(np.median(np.linalg.norm(moved, axis=1))) < least_px:
            continue
        size = (pictures[s].shape[1], pictures[s].shape[0])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        along = cv2.warpAffine(fine(t), affine, size, flags=flags)
        there = cv2.warpAffine(
            regions[t].astype(np.float32), affine, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        for row, other, known in ((0, fine(t), regions[t]), (1, along, there > 0.99)):
            both = regions[s] & np.asarray(known, bool)
            a, b = fine(s)[both].astype(np.float64), other[both].astype(np.float64)
            sums[row] += a @ b, a @ a, b @ b
        used += 1
    if used < _LEAST_PAIRS or not sums[:, 1:].all():
        return Sticking(float("nan"), float("nan"), used)
    fixed, moving = sums[:, 0] / np.sqrt(sums[:, 1] * sums[:, 2])
    return Sticking(float(fixed), float(moving), used)
