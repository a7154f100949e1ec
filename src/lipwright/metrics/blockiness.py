"""Blocks of a lossy codec: are steps across an 8-pixel grid larger than between its lines?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.metrics.detail import luma

GRID = 8
"""Pixels between the lines of the grid: the transform size of JPEG and the common one of video codecs."""


def block_steps(rgb8: NDArray[Any], left: int = 0, top: int = 0) -> tuple[float, float]:
    """(mean step across the grid, mean step beside it) of luma in grey levels.

    A step is |p[x] - p[x - 1]|, along rows and columns; steps beside the grid are those one pixel before and
    after it, which see the same content. `left`, `top` place a cut-out in its frame, where the grid begins.
    (0, 0) for pictures smaller than two cells.
    """
    grey = luma(rgb8)
    across, beside = [], []
    for axis, first in ((1, left), (0, top)):
        steps = np.abs(np.diff(grey, axis=axis)).mean(axis=1 - axis, dtype=np.float64)
        place = (np.arange(len(steps)) + 1 + first) % GRID
        if len(steps) < 2 * GRID:
            return 0.0, 0.0
        across.append(steps[place == 0].mean())
        beside.append(steps[(place == 1) | (place == GRID - 1)].mean())
    return float(np.mean(across)), float(np.mean(beside))


def blockiness(steps: NDArray[Any]) -> float:
    """Sum of steps across over sum of steps beside, of (T, 2) `block_steps`; 1 shows no blocks, above 1 does.

    nan for flat pictures. Only means something at the size the video was coded in: scaling moves the grid.
    Source: after Wang, Bovik and Evans 2000, 'Blind measurement of blocking artifacts in images'.
    """
    across, beside = np.asarray(steps, dtype=np.float64).reshape(-1, 2).sum(axis=0)
    return float(across / beside) if beside > 0 else float("nan")
