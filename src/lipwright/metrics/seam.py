"""Seams: does the edge of the pasted region show?

`seam_score` needs the mask of what was pasted. For videos of which no mask is known, `sticky_edge_score`
looks for edges that stay at one place of the face while everything else moves through it.
"""

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


EDGE_BLUR, EDGE_SHARE = 3, 0.01
"""Pixels over which edge maps are averaged, and the share of them that makes the score."""


def gradient_map(grey: NDArray[Any]) -> NDArray[np.float32]:
    """(H, W) gx^2 + gy^2 of a luma picture by central differences, squared grey levels per px; 0 at the border."""
    image = np.ascontiguousarray(grey, dtype=np.float32)
    energy = np.zeros(image.shape, np.float32)
    gx, gy = image[1:-1, 2:] - image[1:-1, :-2], image[2:, 1:-1] - image[:-2, 1:-1]
    energy[1:-1, 1:-1] = (gx * gx + gy * gy) / 4
    return energy


def sticky_edge_score(generated: NDArray[Any], real: NDArray[Any], where: NDArray[np.bool_]) -> float:
    """How much the strongest added edge stands out; about 1 without a seam, above when one shows.

    Args:
        generated, real: (H, W) means over time of `gradient_map` in one canonical face frame.
        where: (H, W) pixels that count; leave out the lips, whose edges are a matter of articulation.
    Returns:
        mean over the highest 1 % of pixels of (generated + m) / (real + m), with m the median of `real`: a soft
        picture has no added edges and scores at most 1. nan where `real` is flat or nothing counts.
    No paper defines a seam score; this is ours.
    """
    if not (generated.shape == real.shape == where.shape):
        raise ShapeError("generated, where", real.shape, (*generated.shape, *where.shape))
    made, seen = (cv2.blur(np.asarray(x, dtype=np.float64), (EDGE_BLUR, EDGE_BLUR)) for x in (generated, real))
    if not where.any() or (base := float(np.median(seen[where]))) <= 0:
        return float("nan")
    ratio = np.sort(((made + base) / (seen + base))[where])
    return float(ratio[-max(1, round(EDGE_SHARE * len(ratio))) :].mean())
