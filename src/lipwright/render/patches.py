"""Parts of pictures."""

from __future__ import annotations

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8

Area = tuple[slice, slice]
"""Rows and columns of a patch."""


def cut(frame: U8, box: np.ndarray) -> U8:
    """The box out of a frame, edges replicated where it leaves the picture."""
    x0, y0, x1, y1 = box
    height, width = frame.shape[:2]
    inside = frame[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    pads = ((max(-y0, 0), max(y1 - height, 0)), (max(-x0, 0), max(x1 - width, 0)), (0, 0))
    return np.pad(inside, pads, mode="edge") if np.any(pads) else inside


def bounds(mask: F32) -> Area:
    """The rows and columns where a mask, never negative, is not zero; all of them when it is zero everywhere."""
    rows, columns = (np.flatnonzero(cv2.reduce(mask, axis, cv2.REDUCE_MAX)) for axis in (1, 0))
    if not len(rows):
        return slice(0, mask.shape[0]), slice(0, mask.shape[1])
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


_LEAST_BLUR = 3.0
"""Pixels of blur below which a picture would show its own grid when enlarged."""


def softened(image: U8 | F32, sigma: float) -> F32:
    """(h, w) or (h, w, 3) blurred by a Gaussian of `sigma` px, with fewer pixels: what is that soft needs no more."""
    height, width = image.shape[:2]
    shrink = 2 ** max(int(np.log2(max(sigma / _LEAST_BLUR, 1))), 0)
    small = (-(-width // shrink), -(-height // shrink))
    less = cv2.resize(image, small, interpolation=cv2.INTER_AREA) if shrink > 1 else image
    soft = cv2.GaussianBlur(less.astype(np.float32, copy=False), (0, 0), sigma / shrink)
    if shrink > 1:
        soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(soft, np.float32)


def mixed(under: U8, over: U8 | F32, weight: F32) -> U8:
    """(h, w, 3) `over` on `under`, as far as `weight` (h, w) in [0, 1] says; rounded."""
    if over.dtype == np.uint8:
        both = cv2.blendLinear(over, np.ascontiguousarray(under), np.ascontiguousarray(weight), 1 - weight)
        return np.asarray(both, np.uint8)
    both = cv2.blendLinear(over, under.astype(np.float32), weight, 1 - weight)
    return np.asarray(cv2.convertScaleAbs(cv2.max(both, 0)), np.uint8)  # type: ignore[call-overload]
