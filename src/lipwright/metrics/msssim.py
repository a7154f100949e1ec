"""Multi-scale SSIM: structure compared at five sizes of the picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError
from lipwright.metrics.image import GAUSSIAN_SIZE, check_same, ssim_parts_gaussian

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, finest first (Wang, Simoncelli and Bovik 2003, calibrated on people)."""
SMALLEST = GAUSSIAN_SIZE * 2 ** (len(WEIGHTS) - 1)
"""Shortest side in px at which the coarsest scale still holds a window."""


def ms_ssim(real: NDArray[Any], generated: NDArray[Any]) -> float:
    """MS-SSIM alone; see `ssim_and_ms_ssim`."""
    return ssim_and_ms_ssim(real, generated)[1]


def ssim_and_ms_ssim(real: NDArray[Any], generated: NDArray[Any]) -> tuple[float, float]:
    """`image.ssim_gaussian`, which falls off on the way, and MS-SSIM; the latter in [0, 1], 1 is identical.

    Both pictures (H, W, 3) or (H, W) uint8.

    Contrast and structure at the four finer scales, full SSIM at the coarsest, each to the power of its weight;
    windows inside the picture only, 2x2 means between the scales, negative terms count as 0, and channels are
    averaged last. ShapeError when a side is shorter than `SMALLEST`.
    Source: Wang, Simoncelli and Bovik 2003, 'Multiscale structural similarity', equation 7.
    """
    check_same("generated", generated, real)
    if min(real.shape[:2]) < SMALLEST:
        raise ShapeError("real", (f">={SMALLEST}", f">={SMALLEST}"), real.shape)
    a, b = (np.asarray(x, dtype=np.float32) for x in (real, generated))
    single = 0.0
    total: NDArray[np.float64] | float = 1.0
    for scale, weight in enumerate(WEIGHTS):
        light, structure = ssim_parts_gaussian(a, b)
        if scale == 0:
            single = float((light * structure).mean(dtype=np.float64))
        last = scale == len(WEIGHTS) - 1
        value = (light * structure if last else structure).mean(axis=(0, 1), dtype=np.float64)
        total = total * np.maximum(value, 0) ** weight
        a, b = _half(a), _half(b)
    return single, float(np.mean(total))


def _half(image: F32) -> F32:
    height, width = (side // 2 * 2 for side in image.shape[:2])
    return np.asarray(
        cv2.resize(image[:height, :width], (width // 2, height // 2), interpolation=cv2.INTER_AREA), dtype=np.float32
    )
