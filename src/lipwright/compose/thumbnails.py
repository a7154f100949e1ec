"""How different two template frames look away from the mouth, from small pictures that are kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.ibug import JAW, MOUTH

_WIDTH = 96
"""Pixels of a small picture: hands and shoulders are seen, noise and grain are not."""
_WORST = 0.05
"""Share of the pixels, those that differ most, that count: a moved hand is a small part of a picture."""


def thumbnail_distance(picture: Callable[[int], U8], track: FaceTrack) -> Callable[[int, int], float]:
    """A function of two frame numbers: root mean square difference, 0 to 255, of the twentieth that differs most.

    Args:
        picture: RGB uint8 (H, W, 3) of a frame number, such as `FrameStore.frame`.
        track: the frames' track; mouth and jaw of both frames do not count, they are made anew.
    """

    @lru_cache(maxsize=512)
    def small(index: int) -> tuple[F32, F32]:
        full = picture(index)
        scale = _WIDTH / full.shape[1]
        size = (_WIDTH, max(1, round(full.shape[0] * scale)))
        points = (track.landmarks_px[index][MOUTH + JAW] + 0.5) * scale - 0.5
        kept = np.ones((size[1], size[0]), np.float32)
        cv2.fillConvexPoly(kept, cv2.convexHull(np.round(points).astype(np.int32)), (0.0,))
        return cv2.resize(full, size, interpolation=cv2.INTER_AREA).astype(np.float32), kept

    def distance(i: int, j: int) -> float:
        (a, kept_a), (b, kept_b) = small(i), small(j)
        squared = ((a - b) ** 2).mean(-1) * kept_a * kept_b
        worst = np.partition(squared, -max(1, int(_WORST * squared.size)), axis=None)
        return float(np.sqrt(worst[-max(1, int(_WORST * squared.size)) :].mean()))

    return distance
