"""The papers' own figure: sound-source video | template | facial map | result, one moment a row.

Source of the layout: the papers' result figures and demo videos; the map is what a renderer of theirs is given (lines
of the wanted face, edges of the template outside its mouth and jaw).
"""

from __future__ import annotations

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import MOUTH_JAW
from lipwright.render.translation.facial_map import draw_lines, template_conditions, wanted_landmarks

SIDE = 384
"""Pixels of the map before it is shrunk to its cell."""
_AROUND = 1.7
"""Side of the square over the larger extent of the 68 points."""
_HULL = 1.15
"""Mouth and jaw, grown about their middle: what the template may not show of itself."""


def facial_map(template_rgb8: U8, template_px: F32, wanted_px: F32) -> U8:
    """(384, 384, 3) lines of the template's face with another mouth and jaw, and the template's edges around them.

    Args:
        template_rgb8: frame (H, W, 3).
        template_px: (68, 2) its landmarks.
        wanted_px: (29, 2) mouth and jaw in the same pixels.
    """
    low, high = template_px.min(axis=0), template_px.max(axis=0)
    scale = SIDE / (_AROUND * float((high - low).max()))
    shift = (SIDE - 1) / 2 - scale * (low + high) / 2
    to_map = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float32)
    crop = cv2.warpAffine(template_rgb8, to_map, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    own, wanted = (np.asarray(points * scale + shift, np.float32) for points in (template_px, wanted_px))
    both = np.concatenate([own[MOUTH_JAW], wanted])
    middle = both.mean(axis=0)
    hull = cv2.convexHull(((both - middle) * _HULL + middle).astype(np.float32))[:, 0]
    edges = template_conditions(np.asarray(crop, np.uint8), np.asarray(hull, np.float32)).edges
    lines = draw_lines(wanted_landmarks(own, wanted), SIDE)
    picture = np.stack([np.maximum(edges // 2, lines)] * 3, axis=-1)
    return np.asarray(picture, np.uint8)
