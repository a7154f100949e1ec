"""Look-alike mouths registered with each other: their points must lie on the same lips.

Group-wise registration: each mouth's points are moved towards where its neighbours' points arrive when the
neighbours' pictures are laid over it by optical flow (Kroeger et al. 2016, dense inverse search). Errors that
differ from frame to frame cancel; what all frames share, the tracker's idea of where a lip ends, stays.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8

_NEIGHBOURS = 4
_ROUNDS = 2
_STEP = 0.7
_SMOOTH = 3.0
"""Blur of the flow in crop px: a point follows its surroundings, not single pixels."""
_FARTHEST = 4.0
"""Crop px that a point may be moved at most in a round: further is a failure of the flow."""


def registered(crops: U8, looks: NDArray[np.float64], points: F32, moments: NDArray[np.integer], apart: int) -> F32:
    """(N, K, 2) points in crop px, made consistent.

    Args:
        crops: (N, 80, 112, 3).
        looks: (N, D) whose distance tells which mouths are alike.
        points: (N, K, 2).
        moments: (N,) frame numbers; mouths less than `apart` frames from each other are no neighbours, they
            share the tracker's errors.
    """
    near = _neighbours(looks, moments, apart)
    grey = [cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in crops]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    still = np.zeros((*crops.shape[1:3], 2), np.float32)

    def flow(a: int, b: int) -> NDArray[np.float16]:
        found = cv2.GaussianBlur(search.calc(grey[a], grey[b], still.copy()), (0, 0), _SMOOTH)
        return found.astype(np.float16)  # all are kept: to a few thousandths of a pixel in half the memory

    flows = [[flow(j, i) for j in near[i] if j >= 0] for i in range(len(crops))]
    current = points.astype(np.float32)
    for _ in range(_ROUNDS):
        moved = current.copy()
        for i, those in enumerate(near):
            found = [current[j] + _at(f, current[j]) for j, f in zip(those[those >= 0], flows[i], strict=True)]
            if found:
                step = np.median(found, axis=0) - current[i]
                moved[i] += _STEP * np.clip(step, -_FARTHEST, _FARTHEST)
        current = moved
    return current


def _neighbours(looks: NDArray[np.float64], moments: NDArray[np.integer], apart: int) -> NDArray[np.int64]:
    """(N, up to 4) most alike mouths of other moments, -1 where there are not enough."""
    norm = (looks**2).sum(1)
    distance = norm[:, None] + norm - 2 * looks @ looks.T
    distance[np.abs(moments[:, None] - moments) < apart] = np.inf
    order = np.argsort(distance, axis=1)[:, :_NEIGHBOURS]
    return np.where(np.isfinite(np.take_along_axis(distance, order, 1)), order, -1)


def _at(field: NDArray[np.float16], points: F32) -> F32:
    """(H, W, 2) field at (K, 2) points."""
    x, y = (np.ascontiguousarray(points[None, :, k]) for k in (0, 1))
    return np.asarray(
        cv2.remap(field.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0], np.float32
    )
