"""Sampling an aligned crop from a frame of any resolution."""

from __future__ import annotations

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.face.align import zoom


def sample_crop(frame: U8, crop_from_frame: F32, size: int | tuple[int, int]) -> U8:
    """(H, W, 3) frame to a square of side `size` or to (width, height); beyond the frame its border repeats.

    Strong reductions are averaged first (area), because bilinear sampling alone would alias there. Only the
    part of the frame under the crop is touched.
    """
    columns, rows = (size, size) if isinstance(size, int) else size
    affine = crop_from_frame.astype(np.float64)
    scale = zoom(affine)
    step = int(1 / scale) if scale < 0.67 else 1
    if step > 1:
        corners = np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]], np.float64)
        there = (corners - affine[:, 2]) @ np.linalg.inv(affine[:, :2]).T
        height, width = frame.shape[:2]
        x0, y0 = (int(v) for v in np.clip(np.floor(there.min(0)) - 2 * step, 0, (width - 1, height - 1)))
        x1, y1 = (int(v) for v in np.clip(np.ceil(there.max(0)) + 2 * step, (x0 + 1, y0 + 1), (width, height)))
        small = (max(1, round((x1 - x0) / step)), max(1, round((y1 - y0) / step)))
        sx, sy = (x1 - x0) / small[0], (y1 - y0) / small[1]
        frame = np.asarray(cv2.resize(frame[y0:y1, x0:x1], small, interpolation=cv2.INTER_AREA), np.uint8)
        # frame = small * s + (s - 1) / 2 + corner, pixel centres at integers
        back = np.array([[sx, 0, (sx - 1) / 2 + x0], [0, sy, (sy - 1) / 2 + y0], [0, 0, 1]])
        affine = affine @ back
    out = cv2.warpAffine(frame, affine, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8)
