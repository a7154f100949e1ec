"""Seams: does the edge of the pasted region show?"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ShapeError
from lipwright.metrics.detail import luma


def boundary_ring(mask: NDArray[Any], width: int = 3) -> NDArray[np.bool_]:
    """(H, W) True within `width` px of the line where `mask` (H, W) in [0, 1] crosses 0.5."""
    inside = (np.asarray(mask) >= 0.5).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    # A region that meets the picture's edge has no seam there, so outside the picture counts as the same.
    grown = cv2.dilate(inside, kernel, borderType=cv2.BORDER_REPLICATE)
    shrunk = cv2.erode(inside, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(grown != shrunk)


def gradient_energy(rgb8: NDArray[Any], where: NDArray[np.bool_]) -> float:
    """Mean of gx^2 + gy^2 of the luma over `where` (H, W), squared grey levels per px; nan if empty.

    Central differences, so a step of h grey levels over one pixel counts h^2 / 4 at two pixels.
    """
    if not where.any():
        return float("nan")
    gy, gx = np.gradient(luma(rgb8).astype(np.float64))
    return float(np.mean((gx * gx + gy * gy)[where]))


def seam_score(generated: NDArray[Any], real: NDArray[Any], mask: NDArray[Any], width: int = 3) -> float:
    """Gradient energy on the mask's boundary ring, generated over real; 1 is seamless, above 1 shows.

    Below 1 the ring is blurred. nan when the real ring is flat or the mask has no boundary. All three are
    (H, W[, 3]) on the same grid; `mask` in [0, 1]. No paper defines a seam score; this is ours.
    """
    if np.shape(mask) != generated.shape[:2] or generated.shape != real.shape:
        raise ShapeError("mask, generated", real.shape, (*np.shape(mask), *generated.shape))
    ring = boundary_ring(mask, width)
    bottom = gradient_energy(real, ring)
    return gradient_energy(generated, ring) / bottom if bottom > 0 else float("nan")
