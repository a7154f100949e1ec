"""A rendered patch back into its template frame: only the region is touched, the rest stays bit for bit."""

from __future__ import annotations

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8, Patch
from lipwright.face.align import invert

_SHRINKS = 1.3
"""Patch pixels per frame pixel from which sampling would alias."""


def paste(frame: U8, patch: Patch, strength: float = 1.0) -> U8:
    """A copy of `frame` with the patch blended in by its mask times `strength` (0 returns the frame as is)."""
    result = frame.copy()
    if strength <= 0:
        return result
    placed = _place(patch, (frame.shape[1], frame.shape[0]))
    if placed is None:
        return result
    rgb, mask, (x0, y0) = placed
    height, width = mask.shape
    region = result[y0 : y0 + height, x0 : x0 + width]
    weight = (mask * strength)[..., None]
    mixed = region + weight * (rgb.astype(np.float32) - region)
    np.copyto(region, np.clip(mixed + 0.5, 0, 255).astype(np.uint8), where=weight > 0)
    return result


def _place(patch: Patch, size: tuple[int, int]) -> tuple[U8, F32, tuple[int, int]] | None:
    """The patch and its mask on the frame's own pixel grid, clipped to the picture; None outside it."""
    frame_from_crop = invert(patch.crop_from_frame)
    height, width = patch.mask.shape
    corners = np.array([[-0.5, -0.5], [width - 0.5, -0.5], [width - 0.5, height - 0.5], [-0.5, height - 0.5]])
    placed = corners @ frame_from_crop[:, :2].T + frame_from_crop[:, 2]
    x0, y0 = np.floor(placed.min(0) + 0.5).astype(int)
    x1, y1 = np.ceil(placed.max(0) + 0.5).astype(int)
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, size[0]), min(y1, size[1])
    if left >= right or top >= bottom:
        return None
    a = patch.crop_from_frame
    if _is_whole_shift(a):  # already on the frame's grid: no resampling, nothing gets softer
        dx, dy = round(float(a[0, 2])), round(float(a[1, 2]))
        cut = np.s_[top + dy : bottom + dy, left + dx : right + dx]
        return patch.rgb8[cut], patch.mask[cut], (left, top)
    shifted = a.astype(np.float64).copy()
    shifted[:, 2] += shifted[:, :2] @ np.array([left, top], np.float64)
    out = (right - left, bottom - top)
    flags = cv2.WARP_INVERSE_MAP
    source, step = patch.rgb8, float(np.sqrt(abs(np.linalg.det(shifted[:, :2]))))
    if step > _SHRINKS:  # warpAffine does not antialias: blur to the output's Nyquist frequency first
        source = cv2.GaussianBlur(source, (0, 0), 0.4 * step).astype(np.uint8, copy=False)
    rgb = cv2.warpAffine(source, shifted, out, flags=flags | cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    mask = cv2.warpAffine(patch.mask, shifted, out, flags=flags | cv2.INTER_LINEAR)
    return rgb.astype(np.uint8, copy=False), mask.astype(np.float32, copy=False), (left, top)


def _is_whole_shift(affine: F32) -> bool:
    linear_is_identity = np.array_equal(affine[:, :2], np.eye(2, dtype=affine.dtype))
    return bool(linear_is_identity and np.array_equal(affine[:, 2], np.round(affine[:, 2])))
