"""The mouth box: one size for the whole video, following the head, defined by the reference alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.ibug import MOUTH
from lipwright.face.align import Aligner, apply, invert

MARGIN = 1.3
"""Box over the extent that the mouth points reach in 98 % of the frames."""
FACE_MARGIN = 1.1
SMALLEST = 16


@dataclass(frozen=True)
class Boxes:
    """Integer rectangles, all of one size, inside the picture."""

    corners: NDArray[np.int64]
    """(T, 2) left, top."""
    size: tuple[int, int]
    """(width, height)."""

    def __len__(self) -> int:
        return len(self.corners)

    def cut(self, rgb8: U8, t: int) -> U8:
        """The box of frame `t` as a view (h, w, 3)."""
        x, y = self.corners[t]
        return rgb8[y : y + self.size[1], x : x + self.size[0]]

    def grown(self, margin: int, frame_size: tuple[int, int]) -> Boxes:
        """Boxes with `margin` more pixels on every side, pushed back into frames of `frame_size`."""
        size = (self.size[0] + 2 * margin, self.size[1] + 2 * margin)
        return _inside(self.corners - margin, size, frame_size)


def face_boxes(track: FaceTrack) -> Boxes:
    """Boxes around the whole face, brows to chin, made as `mouth_boxes`: expressions do not move them."""
    return _boxes(track, list(range(68)), FACE_MARGIN)


def mouth_boxes(track: FaceTrack) -> Boxes:
    """Boxes around the mouth's place in the head, not around the lips: opening them does not move the box.

    The size is the extent, left to right and top to bottom, that the mouth points reach between the 1st
    and the 99th percentile over frames in the canonical frame, times `MARGIN`; even, at least 16 px and at
    most the frame.
    """
    return _boxes(track, MOUTH, MARGIN)


def _boxes(track: FaceTrack, points: list[int], margin: float) -> Boxes:
    seen = track.landmarks_px[track.present]
    aligner = Aligner.fit(seen)
    mouth = apply(aligner.maps(seen), seen)[:, points]
    low = np.percentile(mouth.min(axis=1), 1, axis=0)
    high = np.percentile(mouth.max(axis=1), 99, axis=0)
    extent = np.ceil((high - low) * margin / 2).astype(int) * 2
    width, height = (min(max(SMALLEST, int(e)), side) for e, side in zip(extent, track.size, strict=True))
    maps = invert(aligner.maps(track.landmarks_px))
    centres = apply(maps, np.broadcast_to((low + high) / 2, (len(track), 1, 2)))[:, 0]
    corners = np.floor(centres - [(width - 1) / 2, (height - 1) / 2] + 0.5).astype(np.int64)
    return _inside(corners, (width, height), track.size)


def canonical_maps(track: FaceTrack) -> F32:
    """(T, 2, 3) similarities from frame pixels to the track's canonical face frame."""
    return Aligner.fit(track.landmarks_px[track.present]).maps(track.landmarks_px)


def _inside(corners: NDArray[np.int64], size: tuple[int, int], frame_size: tuple[int, int]) -> Boxes:
    size = (min(size[0], frame_size[0]), min(size[1], frame_size[1]))
    most = np.array([frame_size[0] - size[0], frame_size[1] - size[1]])
    return Boxes(np.clip(corners, 0, most), size)
