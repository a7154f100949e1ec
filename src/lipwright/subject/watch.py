"""What is noted of every frame while it passes: faces, head contours, sharpness and exposure."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from lipwright.core.clock import round_half_up
from lipwright.core.contracts import F32, FaceTracker
from lipwright.face.contour import N_RAYS, ContourFinder
from lipwright.face.landmarks68 import to_68
from lipwright.face.tracker import N_DENSE
from lipwright.media.video import VideoFrame
from lipwright.subject.quality import face_quality
from lipwright.subject.working_size import shrunk, to_full

CONTOUR_EVERY_S = Fraction(1, 5)
"""Time between contour measurements: hair and shoulders move slower than lips."""
QUALITY_EVERY = 5
"""Contour measurements between looks at sharpness and exposure: once a second."""


def contour_step(fps: Fraction) -> int:
    """Frames between contour measurements."""
    return max(1, round_half_up(CONTOUR_EVERY_S * fps))


class Watcher:
    """Looks at consecutive frames; `begin` and `finish` enclose a piece, the tracker lives on between pieces.

    Args:
        tracker: finds faces; closed with the watcher.
        work_size: (width, height) of the picture it is given; its points are scaled back to the footage.
        fps: frames per second.
    """

    def __init__(self, tracker: FaceTracker, work_size: tuple[int, int], fps: Fraction) -> None:
        self._tracker, self._contour = tracker, ContourFinder()
        self._size, self._every = work_size, contour_step(fps)
        self.begin()

    def begin(self) -> None:
        """Forget what was noted: a new piece starts."""
        self._faces: list[list[tuple[F32, float]]] = []
        self._radii: dict[tuple[int, int], F32] = {}
        self._quality: list[tuple[float, ...]] = []

    def see(self, frame: VideoFrame) -> int:
        """Note one frame; returns how many this piece has."""
        small = shrunk(frame.rgb8, self._size)
        found = self._tracker.detect(small)
        full = (frame.rgb8.shape[1], frame.rgb8.shape[0])
        t = len(self._faces)
        if t % self._every == 0:
            for k, (points, _) in enumerate(found):
                self._measure(t, k, small, to_68(points), full)
        self._faces.append([(to_full(points, self._size, full), score) for points, score in found])
        return t + 1

    def _measure(self, t: int, k: int, picture: np.ndarray, points: F32, full: tuple[int, int]) -> None:
        scale = full[0] / picture.shape[1]
        self._radii[t // self._every, k] = scale * self._contour.radii(picture, points[[0, 16]])
        if t % (QUALITY_EVERY * self._every) == 0 and (seen := face_quality(picture, points)) is not None:
            self._quality.append((t, k, *seen))

    def finish(self) -> dict[str, np.ndarray]:
        """Arrays of the piece: T frames, F faces at most, M contour measurements.

        dense (T, F, 478, 3) px of the footage; confidence (T, F), 0 where there is no such face; boxes (T, F, 4)
        x0, y0, x1, y1 px;
        radii (M, F, rays) px, NaN without a face; quality (Q, 5): frame, face, sharpness, brightness, clipped.
        """
        n, most = len(self._faces), max((len(f) for f in self._faces), default=0)
        dense = np.zeros((n, max(most, 1), N_DENSE, 3), np.float32)
        confidence = np.zeros((n, max(most, 1)), np.float32)
        boxes = np.zeros((n, max(most, 1), 4), np.float32)
        for t, seen in enumerate(self._faces):
            for k, (points, score) in enumerate(seen):
                dense[t, k], confidence[t, k] = points, score
                boxes[t, k] = *points[:, :2].min(0), *points[:, :2].max(0)
        radii = np.full((-(-n // self._every), max(most, 1), N_RAYS), np.nan, np.float32)
        for (row, k), values in self._radii.items():
            radii[row, k] = values
        quality = np.array(self._quality, np.float32).reshape(-1, 5)
        self.begin()
        return {"dense": dense, "confidence": confidence, "boxes": boxes, "radii": radii, "quality": quality}

    def close(self) -> None:
        """Release native resources."""
        self._tracker.close()
        self._contour.close()
