"""Two squares over a face: one that a model is fitted in, one of high definition around the lower face; exact maps.

Meta Talk's adaptive crop: a fitted face has no resolution, so what was fitted in one square can be drawn at the size of
another, and what is drawn there goes back to the frame by the exact inverse. Points are (x, y) with pixel centres at
integers; a square's own coordinates are pixels of its picture of `pixels` a side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError
from lipwright.core.ibug import MOUTH

LOWER_FACE = [*range(2, 15), *MOUTH]
"""Landmarks that the high-definition square is around."""
SIDES = (512, 768, 1024)
"""Sides of that square in frame pixels, the smallest that is large enough; larger faces get a multiple of 256."""
ROOM = 1.6
"""Its side over the lower face's extent."""
_FITTING_ROOM = 2.0
"""The fitting square's side over the mean face's box (AudioDVP)."""


@dataclass(frozen=True)
class Square:
    """A square of a frame, drawn with `pixels` a side."""

    left: float
    """Frame x at which its own x is -0.5: the outer edge of its first column of pixels."""
    top: float
    """The same of y."""
    side: float
    """Frame pixels."""
    pixels: int
    """Pixels of its picture a side."""

    @property
    def crop_from_frame(self) -> NDArray[np.float64]:
        """(2, 3) frame pixels to its own."""
        scale = self.pixels / self.side
        return np.array([[scale, 0, -0.5 - scale * self.left], [0, scale, -0.5 - scale * self.top]])

    @property
    def frame_from_crop(self) -> NDArray[np.float64]:
        """(2, 3) its own pixels to the frame's: the exact inverse."""
        scale = self.side / self.pixels
        return np.array([[scale, 0, self.left + 0.5 * scale], [0, scale, self.top + 0.5 * scale]])

    def from_ndc(self, ndc: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 2) normalised coordinates, -1 and 1 at its edges, y down, to frame pixels."""
        return np.asarray([self.left, self.top]) + (np.asarray(ndc, np.float64) + 1) / 2 * self.side


def apply(affine: NDArray[np.float64], points: NDArray[np.floating]) -> NDArray[np.float64]:
    """(..., 2) points through a (2, 3) map, in float64."""
    return np.asarray(np.asarray(points, np.float64) @ affine[:, :2].T + affine[:, 2])


def between(source: Square, target: Square) -> NDArray[np.float64]:
    """(2, 3) pixels of one square to those of another."""
    a, b = source.frame_from_crop, target.crop_from_frame
    return np.concatenate([b[:, :2] @ a[:, :2], b[:, :2] @ a[:, 2:] + b[:, 2:]], axis=1)


def fitting_square(landmarks_px: F32, pixels: int = 256) -> Square:
    """One square for a whole video: around the mean face's box, twice its longer side.

    Args:
        landmarks_px: (T, 68, 2).
        pixels: a side.
    """
    mean = _checked(landmarks_px).mean(0)
    low, high = mean.min(0), mean.max(0)
    return _around((low + high) / 2, _FITTING_ROOM * float((high - low).max()), pixels)


def hd_square(landmarks_px: F32, pixels: int | None = None, room: float = ROOM, sides: Sequence[int] = SIDES) -> Square:
    """One square for a whole video around the lower face, 512, 768 or 1024 px, drawn at that size or `pixels`.

    Its middle is the median over time of the lower face's middle; `room` times the lower face's extent fits in.

    Args:
        landmarks_px: (T, 68, 2), of frames or aligned.
        pixels: a side of its picture.
        room: its side over the extent, at least.
        sides: that may be chosen; none: just as large as it must be, for footage that is small.
    """
    lower = _checked(landmarks_px)[:, LOWER_FACE].astype(np.float64)
    low, high = lower.min(1), lower.max(1)
    extent = float(np.median((high - low).max(1)))
    multiple = 256 if len(sides) else 2
    side = next((s for s in sides if s >= room * extent), int(np.ceil(room * extent / multiple)) * multiple)
    return _around(np.median((low + high) / 2, axis=0), side, pixels or side)


def _around(middle: NDArray[np.float64], side: float, pixels: int) -> Square:
    return Square(float(middle[0]) - side / 2, float(middle[1]) - side / 2, float(side), pixels)


def _checked(landmarks_px: F32) -> F32:
    if landmarks_px.ndim != 3 or landmarks_px.shape[1:] != (68, 2) or not len(landmarks_px):
        raise ShapeError("landmarks_px", ("T", 68, 2), landmarks_px.shape)
    return landmarks_px
