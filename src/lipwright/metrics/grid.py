"""Grid artefacts: a pattern that repeats with the network's own strides, where the picture has no reason to repeat.

Transposed and depthwise convolutions draw every place of a stride with other weights; what differs between them
stays at fixed places of the picture and shows as a grid in hair and flat areas. Strides of two give periods 2, 4, 8
and 16, which all repeat every 16 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ShapeError
from lipwright.metrics.detail import luma

PERIOD = 16
"""Pixels: four doublings."""
_COARSE = 4.0
"""Deviation in pixels of the Gaussian whose result is taken away: shading is no grid."""
_LEAST = 8
"""Cells of a period below which nothing can be told."""


def grid_amplitude(
    pictures: Sequence[NDArray[Any]], where: Sequence[NDArray[np.bool_]] | None = None, period: int = PERIOD
) -> float:
    """Root mean square in grey levels of what repeats every `period` pixels; about 0 for a photograph.

    All places of one phase are averaged: whatever does not repeat averages out, and what is left of it by chance is
    known from how much cells differ, and taken away. Frames are averaged first, so that a still background seen
    a hundred times does not count as a hundred pictures.

    Args:
        pictures: N of one size, RGB uint8 (H, W, 3) or luma (H, W).
        where: N masks (H, W) of the areas to look at; None for everything.
        period: of the grid in pixels.
    Returns:
        Grey levels, >= 0; nan with fewer than 8 whole cells. A period p of the pattern loses 1 - exp(-316 / p²) of
        its amplitude at most to the high-pass (29 % at 16, nothing at 8 and below).
    Source: ours; the paper names "grids in hair" without measuring them.
    """
    if where is not None and len(where) != len(pictures):
        raise ShapeError("where", (len(pictures),), (len(where),))
    height, width = pictures[0].shape[:2]
    rows, columns = height // period, width // period
    total, seen = np.zeros((height, width)), np.zeros((height, width))
    for k, picture in enumerate(pictures):
        grey = luma(picture)
        fine = grey - cv2.GaussianBlur(grey, (0, 0), _COARSE)
        mask = np.ones((height, width)) if where is None else np.asarray(where[k], np.float64)
        total += fine * mask
        seen += mask
    mean = total / np.maximum(seen, 1)
    rim = round(2 * _COARSE)  # beyond its border the picture is a guess of the high-pass
    seen[:rim], seen[-rim:], seen[:, :rim], seen[:, -rim:] = 0, 0, 0, 0
    inside = np.s_[: rows * period, : columns * period]
    cells = mean[inside].reshape(rows, period, columns, period).swapaxes(1, 2).reshape(-1, period, period)
    whole = (seen[inside] > 0).reshape(rows, period, columns, period).all(axis=(1, 3)).ravel()
    cells = cells[whole]
    if len(cells) < _LEAST:
        return float("nan")
    # The whole cell's own mean is no pattern; of edges that run through a few cells only little is left.
    cells = cells - cells.mean(axis=(1, 2), keepdims=True)
    phase, chance = cells.mean(axis=0), cells.var(axis=0, ddof=1) / len(cells)
    return float(np.sqrt(max(float(np.mean(phase**2 - chance)), 0.0)))
