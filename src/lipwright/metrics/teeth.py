"""Teeth: how sharp is what is seen between the lips, beside the real picture?

Whole-mouth sharpness is mostly the edge of the lips; a network that smears teeth keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ShapeError
from lipwright.metrics.detail import luma

LEAST = 40
"""Pixels between the lips below which a mouth counts as closed."""
_RIM = 5
"""Side of the square by which the opening is shrunk: the lips' own edge is not teeth."""


def inside_energy(rgb8: NDArray[Any], opening: NDArray[Any]) -> tuple[float, int]:
    """(sum of the squared Laplacian of the luma between the lips, pixels counted); (0, 0) when nearly closed.

    Args:
        rgb8: (H, W, 3) picture of a mouth.
        opening: (H, W) 0 outside the inner lips; it is shrunk by two pixels.
    """
    if opening.shape != rgb8.shape[:2]:
        raise ShapeError("opening", rgb8.shape[:2], opening.shape)
    mask = cv2.erode((np.asarray(opening) > 0).astype(np.uint8), np.ones((_RIM, _RIM), np.uint8))
    mask[[0, -1]] = 0
    mask[:, [0, -1]] = 0
    count = int(mask.sum())
    if count < LEAST:
        return 0.0, 0
    response = cv2.Laplacian(luma(rgb8), cv2.CV_32F, ksize=1)
    return float(np.square(response[mask > 0], dtype=np.float64).sum()), count


def teeth_sharpness(
    generated: Sequence[NDArray[Any]], real: Sequence[NDArray[Any]], openings: Sequence[NDArray[Any]]
) -> float:
    """Energy of fine detail between the lips of generated mouths over that of the real ones; 1 is as sharp.

    An energy: half the amplitude gives 0.25. nan when no mouth is open. `openings` are of the real mouths, which both
    pictures show (the generated one is drawn for the same frame).
    """
    top = bottom = 0.0
    for made, truth, opening in zip(generated, real, openings, strict=True):
        top += inside_energy(made, opening)[0]
        bottom += inside_energy(truth, opening)[0]
    return top / bottom if bottom > 0 else float("nan")
