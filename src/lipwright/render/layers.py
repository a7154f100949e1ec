"""Pictures of one drawing at several resolutions, brought onto one pixel grid: each is sampled once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8, Patch
from lipwright.face.align import compose, invert, zoom
from lipwright.render.patches import mixed
from lipwright.render.warp import REACH, doubled

_SHRINKS = 1.3
"""Pixels of a picture per pixel of the grid from which sampling would alias."""


@dataclass(frozen=True)
class Layer(Patch):
    """One picture of a drawing. Of the first of several the mask says where the drawing may be used at most, of each
    other how far it covers those before."""

    known: float = 1.0
    """Share of its pixels that are not enlargement: with less of them there is less to alias."""


def flattened(layers: Sequence[Layer], grid_from_frame: F32, size: tuple[int, int]) -> U8:
    """(height, width, 3) the layers one on the other, on a grid of `size` (width, height)."""
    frame_from_grid = invert(grid_from_frame)
    picture: U8 | None = None
    for layer in layers:
        there: NDArray[np.float64] = compose(layer.crop_from_frame, frame_from_grid).astype(np.float64)
        if picture is None:
            picture = _sampled(layer, there, size)
            continue
        x0, y0, x1, y1 = _covered(layer, there, size)
        if x0 < x1 and y0 < y1:
            there[:, 2] += there[:, :2] @ (x0, y0)
            part = (x1 - x0, y1 - y0)
            weight = cv2.warpAffine(layer.mask, there, part, flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR)
            under = picture[y0:y1, x0:x1]
            under[:] = mixed(under, _sampled(layer, there, part), np.asarray(weight, np.float32))
    assert picture is not None, "a drawing has at least one layer"
    return picture


def _covered(layer: Layer, there: NDArray[np.float64], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1: the part of a grid of `size` that a layer reaches."""
    height, width = layer.mask.shape
    corners = np.array([(x, y) for x in (-1, width) for y in (-1, height)], np.float64)
    back = invert(there.astype(np.float32))
    placed = corners @ back[:, :2].T + back[:, 2]
    low = np.clip(np.floor(placed.min(0)), 0, size).astype(int)
    high = np.clip(np.ceil(placed.max(0)) + 1, 0, size).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _sampled(layer: Layer, there: NDArray[np.float64], size: tuple[int, int]) -> U8:
    """The picture on a grid (width, height)."""
    step, rgb8 = zoom(there), layer.rgb8
    there = there.copy()
    # warpAffine does not antialias: blur to the Nyquist frequency of the grid first. A picture that was learnt from
    # fewer pixels than it has holds no finer detail than they did, and blur would take some of that.
    if step * layer.known > _SHRINKS:
        rgb8 = np.asarray(cv2.GaussianBlur(rgb8, (0, 0), 0.4 * step), np.uint8)
    else:  # twice the pixels and straight lines between them: as sharp as a cubic, in half the time
        rgb8, corner = _under(rgb8, there, size)
        rgb8 = doubled(rgb8)
        there[:, 2] = 2 * (there[:, 2] - corner)
        there[:, :2] *= 2
    flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(rgb8, there, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _under(rgb8: U8, there: NDArray[np.float64], size: tuple[int, int]) -> tuple[U8, tuple[int, int]]:
    """The part of a picture that a grid reads, and its corner."""
    corners = np.array([(x, y) for x in (0, size[0] - 1) for y in (0, size[1] - 1)], np.float64)
    read = corners @ there[:, :2].T + there[:, 2]
    height, width = rgb8.shape[:2]
    x0, y0 = (int(v) for v in np.clip(np.floor(read.min(0)) - REACH, 0, (width - 1, height - 1)))
    x1, y1 = (int(v) for v in np.clip(np.ceil(read.max(0)) + REACH + 1, (x0 + 1, y0 + 1), (width, height)))
    return rgb8[y0:y1, x0:x1], (x0, y0)
