"""What the cross-modal renderer sees of a head: strokes of the upper face and the head's outline, never its mouth.

A chin or a jaw in the drawing would tell how far the mouth is open, and the network would read that instead of the
speech. So of the jaw line only points 0 to 2 and 14 to 16 are drawn, and of the outline only what lies above the line
through the ears (points 0 and 16).
"""

from __future__ import annotations

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import CHAINS, INNER_LIPS, JAW_LINE, OUTER_LIPS
from lipwright.core.stages import staged
from lipwright.render.translation.facial_map import SUBPIXEL, line_width

_LINES: list[tuple[list[int], bool]] = [([0, 1, 2], False), ([14, 15, 16], False)] + [
    (chain, closed) for chain, closed in CHAINS if chain not in (JAW_LINE, OUTER_LIPS, INNER_LIPS)
]
DRAWN = sorted({i for chain, _ in _LINES for i in chain})
"""The landmarks that are read; the mouth and jaw points 3 to 13 are not."""
_EARS = (0, 16)
_LEAST = 1e-3
"""Pixels above the ear line from which on a point of the outline is drawn: an unmeasured one lies on the line."""


@staged("map")
def strokes(landmarks_crop: F32, outline: F32 | None, size: int) -> F32:
    """The renderer's drawing of one head.

    Args:
        landmarks_crop: (68, 2) in pixels of the head crop; only `DRAWN` are read.
        outline: (R, 2) head outline in the same pixels (face.contour.outline_px); None where it is unknown. Points
            below the ear line do not matter; with fewer than two above it there is none.
        size: side S of the crop.
    Returns:
        (3, S, S) in [0, 1]: keypoint strokes; the outline above the ear line; where the outline is told, which is
        everything above the ear line, and nothing where it is unknown.
    """
    canvas = np.zeros((3, size, size), np.uint8)
    for chain, closed in _LINES:
        _line(canvas[0], landmarks_crop[chain], closed)
    left, right = landmarks_crop[list(_EARS)].astype(np.float64)
    along = (right - left) / max(float(np.linalg.norm(right - left)), 1e-6)
    up = np.array([along[1], -along[0]])
    above = outline[(outline - left) @ up > _LEAST] if outline is not None else np.zeros((0, 2), np.float32)
    if len(above) > 1:
        _line(canvas[1], above, False)
        far = 4.0 * size
        ends = left - far * along, right + far * along
        half_plane = _fixed(np.stack([*ends, ends[1] + far * up, ends[0] + far * up]))
        cv2.fillConvexPoly(canvas[2], half_plane, (255,), cv2.LINE_AA, SUBPIXEL)
    return np.multiply(canvas, np.float32(1 / 255), dtype=np.float32)


def _line(canvas: U8, points: F32, closed: bool) -> None:
    cv2.polylines(canvas, [_fixed(points)[:, None]], closed, (255,), line_width(len(canvas)), cv2.LINE_AA, SUBPIXEL)


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(points * 2**SUBPIXEL).astype(np.int32)
