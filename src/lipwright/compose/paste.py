"""A rendered patch back into its template picture: only the region is touched, the rest stays bit for bit.

The patch is brought into the picture's own planes, given the grain it lacks and blended there, so nothing outside
the mask changes, at any bit depth, and the cost follows the region and not the picture. A chroma sample is shared
by several pixels: it changes only as far as all pixels that show it may change.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.compose.grain import with_grain
from lipwright.core.contracts import F32, Patch
from lipwright.core.stages import staged
from lipwright.face.align import invert, zoom
from lipwright.media.picture import Box, Picture, bits, chroma_shift

Affine = NDArray[np.float64]
_SHRINKS = 1.3
"""Patch pixels per frame pixel from which sampling would alias."""
_GROWS = 0.6
"""Patch pixels per frame pixel below which a mask is sampled at every second pixel only."""


@staged("compose")
def paste(picture: Picture, patch: Patch, strength: float = 1.0, own: bool = False) -> Picture:
    """The picture with the patch blended in by its mask times `strength` (0 returns the picture as it is).

    Where nobody else holds the picture (`own`) it is written to itself, which saves a copy.
    """
    box = _region(patch, picture)
    if strength <= 0 or box is None:
        return picture
    to_frame: Affine = patch.crop_from_frame.astype(np.float64)
    to_frame[:, 2] += to_frame[:, :2] @ np.array(box[:2], np.float64)
    size = (box[2] - box[0], box[3] - box[1])
    weight = _weights(patch.mask, to_frame, size)
    if strength < 1:
        weight = weight * np.float32(strength)
    result = picture if own else picture.editable()
    right, down = chroma_shift(picture.pix_fmt)
    for k, (plane, new) in enumerate(zip(result.planes, _planes(patch, picture, to_frame, size), strict=True)):
        dx, dy = (0, 0) if k == 0 else (right, down)
        if k == 1 and (right or down):
            weight = _shared(weight, right, down)
        region = plane[box[1] >> dy : -(-box[3] >> dy), box[0] >> dx : -(-box[2] >> dx)]
        if k == 0:
            new = with_grain(new, region, weight)
        region[:] = _blend(region, new, weight)
    return result


def _region(patch: Patch, picture: Picture) -> Box | None:
    """The part of the picture that the patch's mask covers, on whole chroma samples; None where there is none."""
    frame_from_crop = invert(patch.crop_from_frame)
    rows, columns = (np.flatnonzero(cv2.reduce(patch.mask, axis, cv2.REDUCE_MAX)) for axis in (1, 0))
    if not len(rows):
        return None
    # Half a pixel for the pixel itself, one more because sampling reaches to the next one.
    x, y = (np.array([p[0] - 1.5, p[-1] + 1.5]) for p in (columns, rows))
    corners = np.array([[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]]])
    placed = corners @ frame_from_crop[:, :2].T + frame_from_crop[:, 2]
    x0, y0 = np.floor(placed.min(0) + 0.5).astype(int)
    x1, y1 = np.ceil(placed.max(0) + 0.5).astype(int)
    right, bottom = picture.size
    # Two more pixels all around, of weight 0, for the chroma that is interpolated across the border.
    left, top = max(x0 - 2, 0) // 2 * 2, max(y0 - 2, 0) // 2 * 2
    right, bottom = min(-(-(x1 + 2) // 2) * 2, right), min(-(-(y1 + 2) // 2) * 2, bottom)
    return None if left >= right or top >= bottom else (int(left), int(top), int(right), int(bottom))


def _planes(patch: Patch, picture: Picture, crop_from_region: Affine, size: tuple[int, int]) -> list[NDArray[Any]]:
    """The patch in the planes of the picture, for a region of `size` (width, height)."""
    right, down = chroma_shift(picture.pix_fmt)
    if _is_whole_shift(crop_from_region):  # already on the grid: no resampling, nothing gets softer
        there = _on_grid(patch.rgb8, crop_from_region, size)
        return list(Picture.of_rgb8(there, picture.tags, picture.pix_fmt).planes)
    full = Picture.of_rgb8(patch.rgb8, picture.tags, "yuv444p10le" if bits(picture.pix_fmt) > 8 else "yuv444p")
    placed = [_on_grid(full.planes[0], crop_from_region, size)]
    # Chroma sample c lies in the middle of its luma samples: at (c + 1/2) * step - 1/2 in luma pixels.
    step = np.array([1 << right, 1 << down], np.float64)
    coarse = crop_from_region.copy()
    coarse[:, 2] += coarse[:, :2] @ ((step - 1) / 2)
    coarse[:, :2] *= step
    small = (-(-size[0] >> right), -(-size[1] >> down))
    # Grown chroma has no detail that a cubic would keep.
    method = cv2.INTER_LINEAR if zoom(coarse) < 1 else cv2.INTER_CUBIC
    return placed + [_on_grid(plane, coarse, small, method=method) for plane in full.planes[1:]]


def _weights(mask: F32, mask_from_region: Affine, size: tuple[int, int]) -> F32:
    """The mask at the pixels of a region, 0 around it."""
    step = zoom(mask_from_region)
    if step > _GROWS:
        return np.asarray(_on_grid(mask, mask_from_region, size, cv2.BORDER_CONSTANT, cv2.INTER_LINEAR), np.float32)
    # A mask that grows is smooth on the region's grid: every second pixel says all, at a third of the time.
    half = (-(-size[0] // 2) + 1, -(-size[1] // 2) + 1)
    wide = mask_from_region @ np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    coarse = _on_grid(mask, wide, half, cv2.BORDER_CONSTANT, cv2.INTER_LINEAR)
    full = cv2.resize(coarse, (2 * half[0], 2 * half[1]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full, np.float32)[: size[1], : size[0]]


def _on_grid(
    source: NDArray[Any],
    source_from_region: Affine,
    size: tuple[int, int],
    border: int = cv2.BORDER_REPLICATE,
    method: int = cv2.INTER_CUBIC,
) -> NDArray[Any]:
    """Pixels of a patch at the whole pixels of a region."""
    a = source_from_region
    if _is_whole_shift(a):
        dx, dy = round(float(a[0, 2])), round(float(a[1, 2]))
        height, width = source.shape[:2]
        x0, y0, x1, y1 = max(dx, 0), max(dy, 0), min(dx + size[0], width), min(dy + size[1], height)
        inside = source[y0:y1, x0:x1]
        around = (y0 - dy, dy + size[1] - y1, x0 - dx, dx + size[0] - x1)
        return cv2.copyMakeBorder(inside, *around, border, value=(0.0,)) if any(around) else inside
    if method == cv2.INTER_CUBIC and (step := zoom(a)) > _SHRINKS:
        # warpAffine does not antialias: blur to the output's Nyquist frequency first
        source = cv2.GaussianBlur(source, (0, 0), 0.4 * step)
    return cv2.warpAffine(source, a, size, flags=cv2.WARP_INVERSE_MAP | method, borderMode=border)


def _shared(weight: F32, right: int, down: int) -> F32:
    """Weights of chroma samples: the least of all pixels that show them, neighbours by interpolation included."""
    around = np.ones((1 + 3 * down, 1 + 3 * right), np.uint8)
    anchor = (right, down)  # of samples 2c - 1 ... 2c + 2 in each subsampled direction
    least = cv2.erode(weight, around, anchor=anchor, borderType=cv2.BORDER_REPLICATE)
    return least[:: 1 << down, :: 1 << right].astype(np.float32, copy=False)


def _blend(old: NDArray[Any], new: NDArray[Any], weight: F32) -> NDArray[Any]:
    """old + weight · (new - old), rounded; weight 0 gives `old` bit for bit."""
    if old.dtype == np.uint8:
        return cv2.blendLinear(np.ascontiguousarray(old), new, 1 - weight, np.ascontiguousarray(weight))
    mixed = old + weight * (new.astype(np.float32) - old)
    return np.where(weight > 0, mixed + 0.5, old).astype(old.dtype)  # between two samples: no clipping is needed


def _is_whole_shift(affine: Affine) -> bool:
    linear_is_identity = np.array_equal(affine[:, :2], np.eye(2, dtype=affine.dtype))
    return bool(linear_is_identity and np.array_equal(affine[:, 2], np.round(affine[:, 2])))
