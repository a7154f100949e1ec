"""Flicker: brightness that goes up and down where nothing moves."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ShapeError
from lipwright.metrics.detail import luma

CELLS = 24
"""Cells along the longer side: large enough that the noise of single pixels averages out."""
QUIET_SHARE = 0.25
"""Share of the cells outside the face that counts as static."""
SECOND_DIFFERENCE_GAIN = 6.0
"""1 + 4 + 1: how much white flicker of variance 1 grows in second differences (1, -2, 1)."""


def cell_grid(size: tuple[int, int]) -> tuple[int, int]:
    """(columns, rows) of cells for frames of (width, height)."""
    longest = max(size)
    return max(1, round(CELLS * size[0] / longest)), max(1, round(CELLS * size[1] / longest))


def cell_means(grey: NDArray[Any]) -> NDArray[np.float32]:
    """(rows, columns) mean luma of the cells of one picture, grey levels; `grey` may be RGB or luma."""
    image = np.ascontiguousarray(luma(grey))
    grid = cell_grid((image.shape[1], image.shape[0]))
    return np.asarray(cv2.resize(image, grid, interpolation=cv2.INTER_AREA), dtype=np.float32)


def static_cells(cells: NDArray[Any], blocked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(rows, columns) the quarter of cells outside `blocked` that changes least from frame to frame.

    Args:
        cells: (T, rows, columns) `cell_means` of the real video, or of the video itself without one.
        blocked: (rows, columns) cells that the head reaches; all False when nothing is left outside it.
    """
    if blocked.shape != cells.shape[1:]:
        raise ShapeError("blocked", cells.shape[1:], blocked.shape)
    free = ~blocked if not blocked.all() else np.ones_like(blocked)
    if len(cells) < 3:
        return free
    restless = np.median(np.abs(np.diff(np.asarray(cells, dtype=np.float64), axis=0)), axis=0)
    return np.asarray(free & (restless <= np.quantile(restless[free], QUIET_SHARE)))


def flicker_energy(cells: NDArray[Any], static: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(T - 2,) mean squared second difference of the static cells over 6, squared grey levels.

    Second differences: light that changes slowly or steadily is not flicker. White flicker of deviation s
    gives s^2.
    """
    curves = np.asarray(cells, dtype=np.float64)[:, static]
    second = np.diff(curves, n=2, axis=0)
    return np.asarray((second * second).mean(axis=1) / SECOND_DIFFERENCE_GAIN, dtype=np.float64)


def flicker(energy: NDArray[Any]) -> float:
    """Root of the mean `flicker_energy` in grey levels; nan below three frames."""
    return float(np.sqrt(np.mean(energy))) if len(energy) else float("nan")
