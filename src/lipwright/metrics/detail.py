"""Fine detail of a picture: is the generated mouth as sharp as the real one?

PSNR alone prefers blur, so it is never read without this ratio beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def luma(rgb8: NDArray[Any]) -> NDArray[np.float32]:
    """(H, W) BT.601 luma in grey levels 0-255 of an RGB image; one-channel images pass through."""
    image = np.asarray(rgb8, dtype=np.float32)
    return image if image.ndim == 2 else image @ np.array([0.299, 0.587, 0.114], dtype=np.float32)


def laplacian_energy(rgb8: NDArray[Any]) -> float:
    """Mean squared Laplacian of the luma, in squared grey levels; >= 0, 0 for a flat or linear image.

    Kernel [0 1 0; 1 -4 1; 0 1 0], image borders left out. Source: the 'energy of Laplacian' focus
    measure (Subbarao 1993; Pech-Pacheco et al. 2000 take its variance).
    """
    response = cv2.Laplacian(luma(rgb8), cv2.CV_32F, ksize=1)[1:-1, 1:-1]
    return float(np.mean(np.square(response, dtype=np.float64))) if response.size else float("nan")


def sharpness_ratio(generated: Sequence[float], real: Sequence[float]) -> float:
    """Sum of the generated frames' Laplacian energies over the sum of the real frames'.

    1 is as sharp as real, below is softer, above is noisier; a ratio of energies, so a picture with half
    the fine amplitude scores 0.25. nan when the real energy is 0.
    """
    bottom = float(np.sum(real))
    return float(np.sum(generated)) / bottom if bottom > 0 else float("nan")
