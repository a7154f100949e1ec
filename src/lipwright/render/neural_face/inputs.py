"""What the network sees, made of drawings, the head's place and the template around the region; numbers only.

Nothing here draws: a machine that trains on a packed subject has the drawings already.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.core.ease import smoothstep
from lipwright.render.neural_face.config import NeuralFaceConfig
from lipwright.render.translation.masks import FEATHER, head_mask

_BELOW = 0.03
"""Of the side: the region reaches further down than the face with its mouth wide open, into the neck."""
_EVEN = 0.012
"""Of the side: deviation of the blur that evens the region's edge."""
_BLIND = 3
"""Pixels around the region that are not shown either: sampling a frame spreads what lies there."""
_ERODED = 9 / 256
"""Of the side: rim of the region that is drawn and never shown."""
_REACH_CM = 8.0
"""Centimetres on the head that are 1 in the labels."""


def region_of(covered: np.ndarray) -> U8:
    """(S, S) 255 where the renderer may draw: what a face covers, and a little below it."""
    drop = max(round(_BELOW * len(covered)), 1)
    grown = cv2.dilate(covered.astype(np.uint8), np.ones((drop + 1, 1), np.uint8), anchor=(0, drop))
    even = cv2.GaussianBlur(grown * 255, (0, 0), _EVEN * len(covered))  # its upper edge runs along triangles
    return np.where(even > 127, 255, 0).astype(np.uint8)


def mask_of(region: U8) -> F32:
    """(S, S) in [0, 1] how much of what is drawn is shown: 0 along the region's rim, 1 further inside.

    AudioDVP erodes its masks by nine pixels of 256: next to the rim a network cannot see what it has to meet.
    """
    size = len(region)
    inside = cv2.copyMakeBorder((region > 127).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,))
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
    soft = smoothstep((distance - _ERODED * size) / (FEATHER * size)) * head_mask(size, FEATHER * size)
    return np.asarray(soft, np.float32)


def network_input(
    config: NeuralFaceConfig, drawings: Sequence[U8], inside: U8, plane: F32, around: U8, region: U8
) -> F32:
    """(C, S, S) input of one frame; see `NeuralFaceConfig.input_channels`.

    Args:
        drawings: `config.window` pictures (S, S, 3), the frame's own in the middle.
        inside: (S, S) the mouth's interior in its own drawing.
        plane: (2, 3) pixels to cm on the head (`drawing.plane_map`).
        around: (S, S, 3) the template; what lies in `region` (S, S) is not looked at.
    """
    parts = [signed(picture) for picture in drawings]
    if config.labels:
        parts.append(labels(inside, plane))
    if config.surround:
        hidden = cv2.dilate(region, np.ones((2 * _BLIND + 1, 2 * _BLIND + 1), np.uint8)) > 127
        shown = signed(around) * ~hidden
        parts += [shown, hidden[None].astype(np.float32)]
    return np.concatenate(parts, dtype=np.float32)


def labels(inside: U8, plane: F32) -> F32:
    """(3, S, S): the mouth's interior (0 or 1), and where on the head a pixel lies, across and up, -1 to 1."""
    size = len(inside)
    at = np.arange(size, dtype=np.float32)
    across, up = (
        (plane[k, 0] * at[None] + plane[k, 1] * at[:, None] + plane[k, 2]) / np.float32(_REACH_CM) for k in (0, 1)
    )
    return np.stack([inside.astype(np.float32) / 255, across.clip(-1, 1), up.clip(-1, 1)])


def signed(picture: U8) -> F32:
    """(S, S, 3) to (3, S, S) in [-1, 1]."""
    return picture.transpose(2, 0, 1).astype(np.float32) * np.float32(2 / 255) - 1
