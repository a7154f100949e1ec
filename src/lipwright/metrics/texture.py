"""Weight-free picture features for a Fréchet distance: detail at four sizes on a grid, and colour.

No network and no training set, so it runs anywhere and gives the same number everywhere. It sees softness,
noise and colour casts; unlike FID it does not know what a face is, and must never be called FID.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 128
"""Pixels to which a picture is scaled (by area, or linearly when it is smaller)."""
LEVELS, CELLS = 4, 3
COLOUR_UNIT = 16.0
"""Grey levels that count as much as a factor e in detail."""
N_FEATURES = LEVELS * CELLS * CELLS + 6


def pyramid_features(rgb8: NDArray[Any]) -> NDArray[np.float64]:
    """(N_FEATURES,) statistics of one RGB uint8 picture.

    For each of four octave bands of a Laplacian pyramid of luma: log(1 + mean |band|) in 3x3 cells; then mean
    and deviation of Y, Cr and Cb over 16 grey levels.
    """
    shrinks = min(rgb8.shape[:2]) >= SIDE
    flags = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small = cv2.resize(np.ascontiguousarray(rgb8), (SIDE, SIDE), interpolation=flags)
    ycc = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2YCrCb) * 255
    found = []
    level = np.ascontiguousarray(ycc[..., 0])
    for _ in range(LEVELS):
        coarse = cv2.pyrDown(level)
        band = np.abs(level - cv2.pyrUp(coarse, dstsize=level.shape[::-1]))
        found.append(np.log1p(cv2.resize(band, (CELLS, CELLS), interpolation=cv2.INTER_AREA)).ravel())
        level = coarse
    flat = ycc.reshape(-1, 3) / COLOUR_UNIT
    return np.concatenate([*found, flat.mean(axis=0), flat.std(axis=0)]).astype(np.float64)
