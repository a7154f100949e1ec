"""Facial maps: what a renderer sees of a template. Nothing here can tell its mouth.

Everything works on an aligned crop (size, size, 3) uint8 RGB and polygons in crop pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import CHAINS, JAW, JAW_LINE, MOUTH_JAW
from lipwright.core.stages import staged

SUBPIXEL = 4
"""Fractional bits of cv2's drawing coordinates."""
_SIGMA = 1.4
"""At 512 px; in proportion to the size, so that a preset sees the same edges at any size."""
_LOW, _HIGH = 100.0, 200.0
_MARGIN = 0.012
"""Of the crop's size: what compression and resampling smear of the inside over the hull's edge."""
_SMEAR = 2.2
"""In frame pixels: half the diagonal of a pixel that the hull touches, and the diagonal that bilinear sampling
reaches. Only faces that are small for their crop need it."""

# 3 and 13 lie between the template's cheeks and the predicted jaw and move with it, so they are not drawn.
_LINES = [([i for i in chain if i not in (3, 13)], closed) for chain, closed in CHAINS]


@dataclass(frozen=True)
class Conditions:
    """What one template frame gives: its edges and colours outside the hull, and the hull."""

    edges: U8
    """(S, S) Canny edges, 0 or 255."""
    hull: U8
    """(S, S) antialiased, 255 inside."""
    blanked: U8
    """(S, S, 3) the crop, its hull (and a margin) set to the mean colour of the rest."""


def line_width(size: int) -> int:
    """2 px at up to 512, in proportion above."""
    return max(2, round(2 * size / 512))


def draw_lines(landmarks: F32, size: int, chains: Sequence[tuple[list[int], bool]] = _LINES) -> U8:
    """(68, 2) landmarks in crop pixels to (S, S) antialiased polylines, 0 to 255; 3 and 13 are not read.

    Args: `chains` of (indices, closed) instead of the facial map's.
    """
    canvas = np.zeros((size, size), np.uint8)
    for chain, closed in chains:
        fixed = np.round(landmarks[chain] * 2**SUBPIXEL).astype(np.int32)
        cv2.polylines(canvas, [fixed[:, None]], closed, (255,), line_width(size), cv2.LINE_AA, SUBPIXEL)
    return canvas


def wanted_landmarks(template: F32, mouth_jaw: F32) -> F32:
    """(68, 2) template landmarks with the 29 wanted MOUTH_JAW points in place of its own."""
    points = template.copy()
    points[MOUTH_JAW] = mouth_jaw
    # Not drawn; set so that nothing of the template's own jaw is left in the array.
    ends = ((3, 2, JAW[0]), (13, 14, JAW[-1]))
    for i, above, below in ends:
        points[i] = (points[JAW_LINE[above]] + points[below]) / 2
    return points


def fill_hull(polygon: F32, size: int) -> U8:
    """(H, 2) convex polygon to an antialiased (S, S) mask, 0 to 255."""
    canvas = np.zeros((size, size), np.uint8)
    fixed = np.round(polygon * 2**SUBPIXEL).astype(np.int32)
    cv2.fillConvexPoly(canvas, fixed, (255,), cv2.LINE_AA, SUBPIXEL)
    return canvas


@staged("map")
def template_conditions(crop: U8, polygon: F32, zoom: float = 1.0) -> Conditions:
    """Edges, hull and blanked colours of one crop; frame pixels that the hull touches change none of them.

    Args: `zoom` is the crop's pixels per pixel of its frame.
    """
    size = crop.shape[0]
    hull = fill_hull(polygon, size)
    blank = grow(hull, max(_MARGIN * size + 1, _SMEAR * zoom))
    outside = np.asarray(cv2.bitwise_not(blank), np.uint8)
    mean = np.round(cv2.mean(crop, outside)[:3]) if outside.any() else np.full(3, 127.0)
    blanked = crop.copy()
    cv2.copyTo(np.broadcast_to(mean.astype(np.uint8), crop.shape).copy(), blank, blanked)
    return Conditions(_edges(blanked, blank, outside), hull, blanked)


def _edges(blanked: U8, blank: U8, outside: U8) -> U8:
    """Canny on the blanked crop: edges and their thresholds cannot depend on what was blanked."""
    grey = cv2.cvtColor(blanked, cv2.COLOR_RGB2GRAY)
    scale = _median(np.asarray(grey, np.uint8), outside) / 128.0
    sigma = max(0.5, _SIGMA * len(grey) / 512)
    soft = cv2.GaussianBlur(grey, (0, 0), sigma)
    edges = np.asarray(cv2.Canny(soft, _LOW * scale, _HIGH * scale, L2gradient=True), np.uint8)
    rim = grow(blank, 4 * sigma + 1)  # the edge of the blank is no edge of the face
    return np.asarray(cv2.bitwise_and(edges, cv2.bitwise_not(rim)), np.uint8)


def _median(grey: U8, mask: U8) -> float:
    """Lower median of the masked pixels from their histogram; 128 where there are none."""
    counts = np.cumsum(cv2.calcHist([grey], [0], mask, [256], [0, 256]).ravel())
    return float(np.searchsorted(counts, counts[-1] / 2)) if counts[-1] else 128.0


def grow(mask: U8, radius: float) -> U8:
    """255 within `radius` of any non-zero pixel."""
    side = 2 * int(np.ceil(radius)) + 1
    grown = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return np.asarray(cv2.threshold(grown, 0, 255, cv2.THRESH_BINARY)[1], np.uint8)


@staged("map")
def network_input(landmarks: F32, conditions: Conditions, with_template: bool, with_edges: bool = True) -> F32:
    """(3 or 6, S, S) float32: lines, edges (0 without them) and hull in [0, 1], then blanked colours in [-1, 1]."""
    size = conditions.hull.shape[0]
    out = np.empty((6 if with_template else 3, size, size), np.float32)
    for i, channel in enumerate((draw_lines(landmarks, size), conditions.edges, conditions.hull)):
        np.multiply(channel, np.float32(1 / 255), out=out[i], casting="unsafe")
    if not with_edges:
        out[1] = 0
    if with_template:
        out[3:] = conditions.blanked.transpose(2, 0, 1) * np.float32(2 / 255) - 1
    return out
