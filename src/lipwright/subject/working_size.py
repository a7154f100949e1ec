"""Large pictures are tracked at a working size: the mesh model looks at 192 px of face, more is not used."""

from __future__ import annotations

import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.media.picture import Picture

FACE_PX = 280
"""Face width wanted in the tracked picture."""
LEAST_SIDE = 640
"""The longer side is never made smaller than this: the detector must find other, smaller faces too."""
_WORTH_IT = 0.8
"""Above this scale the full picture is tracked: resampling would cost more than it saves."""


def working_size(size: tuple[int, int], face_px: float) -> tuple[int, int]:
    """(width, height) at which to track pictures of `size` whose face is `face_px` wide; never larger."""
    longer = max(size)
    scale = max(FACE_PX / max(face_px, 1.0), LEAST_SIDE / longer)
    if scale >= _WORTH_IT:
        return size
    return max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)


def at_size(picture: Picture, size: tuple[int, int]) -> U8:
    """(H, W, 3) RGB of a picture at `size` (width, height); the full picture is never made into RGB for it."""
    return picture.rgb8() if picture.size == size else picture.scaled(size)


def to_full(points: F32, size: tuple[int, int], full: tuple[int, int]) -> F32:
    """Points (..., 2 or 3) of a picture of `size` in pixels of one of `full`; pixel centres at integers.

    The pictures' edges meet, at -1/2, so x -> s (x + 1/2) - 1/2; depth scales with the width.
    """
    if size == full:
        return points
    scale = np.array([full[0] / size[0], full[1] / size[1], full[0] / size[0]], np.float32)[: points.shape[-1]]
    shift = np.array([0.5, 0.5, 0.0], np.float32)[: points.shape[-1]]
    return np.asarray((points + shift) * scale - shift, np.float32)
