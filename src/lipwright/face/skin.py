"""The colour of the face at its mesh points: a small signature that moves with the face.

Sampling at mesh points instead of at the pixels of a crop takes head motion, turns and speech out before
anything is compared: the chin's colour stays the chin's, however far the mouth opens, and nothing is sampled
inside the mouth. What is left is skin, lips and beard, and whatever lies over them. The same numbers tell
persons apart (face.choose) and covers from skin (face.cover).
"""

from __future__ import annotations

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.face.mesh import LIPS, LOWER_FACE

UPPER = [
    10, 151, 9, 8, 67, 297, 69, 299, 104, 333, 108, 337, 6, 197, 195, 5, 4, 50, 280, 101, 330, 36, 266,
    205, 425, 117, 346, 118, 347, 116, 345, 123, 352, 49, 279, 198, 420, 131, 360, 174, 399,
]  # fmt: skip
"""Forehead, nose and cheeks: what gives the light when the mouth is covered."""
POINTS = [*LIPS, *LOWER_FACE, *UPPER]
"""Mesh points that are sampled, in the order of a signature."""
N_LOWER = len(LIPS) + len(LOWER_FACE)
"""The first so many points of a signature are the lower face, lips first."""

_FACE_PX = 64
"""Width of the face in the picture that is sampled: a sample is the mean of about 1/64 of the face."""
_YCBCR = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
"""ITU-T T.871 (JPEG), full range."""


def skin(rgb8: U8, dense_px: F32) -> U8:
    """(P, 3) Y, Cb, Cr at `POINTS` of a (478, 3) px mesh in an RGB frame; the border is repeated outside.

    Chroma is centred at 128. A mesh that lies wholly outside the picture gives zeros.
    """
    height, width = rgb8.shape[:2]
    points = dense_px[POINTS, :2]
    low, high = dense_px[:, :2].min(0), dense_px[:, :2].max(0)
    x0, y0 = (max(int(v) - 2, 0) for v in low)
    x1, y1 = min(int(high[0]) + 3, width), min(int(high[1]) + 3, height)
    if x1 - x0 < 4 or y1 - y0 < 4:
        return np.zeros((len(POINTS), 3), np.uint8)
    scale = min(_FACE_PX / max(float(high[0] - low[0]), 1.0), 1.0)
    size = (max(round((x1 - x0) * scale), 2), max(round((y1 - y0) * scale), 2))
    step = max(int(1 / (2 * scale)), 1)  # a large face need not be averaged over all of its pixels
    face = rgb8[y0:y1:step, x0:x1:step]
    small = cv2.resize(face, size, interpolation=cv2.INTER_AREA)
    grow = np.array([size[0] / face.shape[1], size[1] / face.shape[0]], np.float32)
    at = ((points - np.array([x0, y0], np.float32)) / step + 0.5) * grow - 0.5
    rgb = cv2.remap(small, at[None, :, 0], at[None, :, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
    ycc = rgb.astype(np.float32) @ _YCBCR.T + np.array([0, 128, 128], np.float32)
    return np.clip(np.rint(ycc), 0, 255).astype(np.uint8)
