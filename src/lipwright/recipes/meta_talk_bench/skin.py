"""Detail of the skin where a lower face is sewn in: what a soft renderer loses first, and PSNR does not see."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import JAW_LINE, MOUTH
from lipwright.evaluate.source import Scan
from lipwright.metrics.detail import luma, sharpness_ratio

_INSET, _LIPS = 0.06, 0.05
"""Of the face's width: skin that is left out beside the jaw line, and around the lips."""
_TOP = [31, 33, 35]


def skin(landmarks_px: F32, size: tuple[int, int]) -> np.ndarray:
    """(H, W) where skin of the lower face is: inside jaw line and nose base, off the lips.

    Args: `landmarks_px` (68, 2), `size` (width, height).
    """
    width = float(np.linalg.norm(landmarks_px[16] - landmarks_px[0]))
    outline = np.concatenate([landmarks_px[JAW_LINE[3:14]], landmarks_px[_TOP][::-1]])
    face, lips = np.zeros((size[1], size[0]), np.uint8), np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(face, [np.round(outline).astype(np.int32)], (1,))
    cv2.fillConvexPoly(lips, cv2.convexHull(np.round(landmarks_px[MOUTH]).astype(np.int32)), (1,))
    return (cv2.erode(face, _disc(_INSET * width)) > 0) & (cv2.dilate(lips, _disc(_LIPS * width)) == 0)


def skin_detail(made: Iterable[U8], real: Iterable[U8], landmarks_px: F32) -> float:
    """Laplacian energy of the made frames' skin over that of the real ones, at the real face's place; 1 is real."""
    energies: tuple[list[float], list[float]] = ([], [])
    for drawn, true, points in zip(made, real, landmarks_px, strict=False):
        where = skin(points, (true.shape[1], true.shape[0]))
        for picture, energy in zip((drawn, true), energies, strict=True):
            response = cv2.Laplacian(luma(picture), cv2.CV_32F, ksize=1)[where]
            energy.append(float(np.mean(np.square(response, dtype=np.float64))) if response.size else 0.0)
    return sharpness_ratio(*energies)


def skin_of(video: Path, real: Scan) -> float:
    """`skin_detail` of a video of protocol `self`."""
    from dataclasses import replace

    from lipwright.evaluate.source import Clip

    return skin_detail(replace(real, clip=Clip(video), first=0).frames(), real.frames(), real.track.landmarks_px)


def _disc(radius: float) -> np.ndarray:
    side = 2 * max(round(radius), 1) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
