"""The 68 iBUG landmark indices and how system B divides them.

Convention: pixel coordinates, x right, y down; point i of an array (…, 68, 2).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

JAW_LINE = list(range(17))
BROWS = list(range(17, 27))
NOSE = list(range(27, 36))
EYES = list(range(36, 48))
OUTER_LIPS = list(range(48, 60))
INNER_LIPS = list(range(60, 68))

MOUTH = list(range(48, 68))
"""20 points predicted by the motion models."""
JAW = list(range(4, 13))
"""9 points predicted by the motion models."""
MOUTH_JAW = MOUTH + JAW
"""The 29 predicted points, mouth first."""
CHEEK = [0, 1, 2, 3, 13, 14, 15, 16]
"""8 points given by the template."""
RIGID = [0, 1, 2, 14, 15, 16, *NOSE, 36, 39, 42, 45]
"""Points that do not move with speech: the only ones head pose may come from."""
NOSE_CENTRE = NOSE
"""Their mean is 'the centre of the nose'."""
UPPER_FACE = [0, 1, 2, 3, *range(13, 48)]
"""Mouth-free points: scale measured on them cannot leak the mouth."""

INNER_TOP, INNER_BOTTOM = [61, 62, 63], [67, 66, 65]
"""Opposite inner-lip points; the mean distance is the lip aperture."""

CHAINS: list[tuple[list[int], bool]] = [
    (JAW_LINE, False),
    (list(range(17, 22)), False),
    (list(range(22, 27)), False),
    (list(range(27, 31)), False),
    (list(range(31, 36)), False),
    (list(range(36, 42)), True),
    (list(range(42, 48)), True),
    (OUTER_LIPS, True),
    (INNER_LIPS, True),
]
"""Polylines of the face as (indices, closed)."""


def lip_aperture(landmarks: NDArray[Any]) -> NDArray[np.float64]:
    """(…,) inner-lip opening of (…, 68, 2) landmarks in their unit: mean over three opposite pairs."""
    points = np.asarray(landmarks, dtype=np.float64)
    return np.asarray(np.linalg.norm(points[..., INNER_TOP, :] - points[..., INNER_BOTTOM, :], axis=-1).mean(-1))
