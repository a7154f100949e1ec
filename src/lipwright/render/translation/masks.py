"""Where the picture of a rendered patch is used, and what of it the next frame may see.

None of this is an input of a network, so it may follow the template's own jaw; `kept_mask`, which reaches one,
follows the wanted jaw alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.core.ease import smoothstep
from lipwright.core.ibug import JAW_LINE
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.facial_map import SUBPIXEL, grow

FEATHER = 0.04
"""Of the crop's size: width of the soft rim of a patch."""
_AROUND_FACE = 0.05
"""Of the crop's size: skin, shade and feather beyond a jaw line."""


def patch_mask(hull: U8, drawn: F32, own: F32, config: TranslationConfig) -> F32:
    """(S, S) mask of a rendered patch: mouth and jaw inside the hull, or the soft square of a whole head.

    Args: `drawn` and `own` (68, 2) are the wanted and the template's own landmarks in crop pixels.
    """
    feather = FEATHER * config.size
    if config.mode == "sewn":
        return sewing_mask(hull, (drawn[JAW_LINE], own[JAW_LINE]), feather)
    return head_mask(config.size, 2 * feather)


def kept_mask(hull: U8, drawn: F32, config: TranslationConfig) -> F32:
    """(S, S) what of an output the frame after may see: the wanted mouth and jaw, or a whole head.

    `patch_mask` also follows the template's own jaw, which must not reach a network.
    """
    if config.mode == "sewn":
        return sewing_mask(hull, (drawn[JAW_LINE],), FEATHER * config.size)
    return np.ones(hull.shape, np.float32)


def sewing_mask(hull: U8, jaws: Sequence[F32], feather: float) -> F32:
    """(S, S) in [0, 1]: where a sewn patch replaces the template; smooth over `feather` pixels at its rim.

    Inside the hull, and there only on or near one of the faces whose jaw lines (17, 2) are given (the wanted
    one and the template's own): what is background for both stays the template's. This decides where the
    picture is used and is no input of the network, so the template's jaw tells it nothing.
    """
    face = np.zeros_like(hull)
    for jaw in jaws:
        fixed = np.round(jaw * 2**SUBPIXEL).astype(np.int32)
        cv2.fillPoly(face, [fixed[:, None]], (255,), cv2.LINE_8, SUBPIXEL)
    region = cv2.bitwise_and(grow(face, _AROUND_FACE * len(hull)), (hull > 127).astype(np.uint8))
    distance = cv2.distanceTransform(region, cv2.DIST_L2, 3)
    return smoothstep(distance / feather).astype(np.float32)


def head_mask(size: int, feather: float) -> F32:
    """(S, S) in [0, 1]: 1 inside, falling smoothly to 0 at the crop's border."""
    inside = np.minimum(np.arange(size), np.arange(size)[::-1])
    ramp = smoothstep(inside / feather)
    return np.outer(ramp, ramp).astype(np.float32)
