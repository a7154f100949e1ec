"""What is noted of every frame while it passes: faces, their signatures, head contours, sharpness and exposure."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from lipwright.core.clock import round_half_up
from lipwright.core.contracts import F32, U8, FaceTracker
from lipwright.face.contour import N_RAYS, ContourFinder
from lipwright.face.landmarks68 import to_68
from lipwright.face.signs import PeopleSigns
from lipwright.face.skin import UPPER
from lipwright.subject.quality import face_quality
from lipwright.subject.working_size import to_full

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
        full: (width, height) of the footage.
        work_size: (width, height) of the picture the tracker is given; its points are scaled back.
        fps: frames per second.
    """

    def __init__(self, tracker: FaceTracker, full: tuple[int, int], work_size: tuple[int, int], fps: Fraction) -> None:
        self._tracker, self._contour = tracker, ContourFinder()
        self._full, self._size, self._fps = full, work_size, fps
        self._every = contour_step(fps)
        self.begin()

    def begin(self) -> None:
        """Forget what was noted: a new piece starts."""
        self._signs = PeopleSigns(float(self._fps))
        self._seen = 0
        self._radii: dict[tuple[int, int], F32] = {}
        self._quality: list[tuple[float, ...]] = []

    def see(self, picture: U8) -> int:
        """Note one (H, W, 3) RGB frame at the working size; returns how many this piece has."""
        found = self._tracker.detect(picture)
        self._signs.add(picture, found)
        if self._seen % self._every == 0:
            for k, (points, _) in enumerate(found):
                self._measure(k, picture, to_68(points))
        self._seen += 1
        return self._seen

    def _measure(self, k: int, picture: U8, points: F32) -> None:
        row = self._seen // self._every
        self._radii[row, k] = self._contour.radii(picture, points[[0, 16]]) * (self._full[0] / self._size[0])
        if row % QUALITY_EVERY == 0 and (quality := face_quality(picture, points)) is not None:
            self._quality.append((self._seen, k, *quality))

    def finish(self) -> dict[str, np.ndarray]:
        """Arrays of the piece: T frames, F faces at most, M contour measurements, in pixels of the footage.

        dense (T, F, 478, 3); confidence (T, F), 0 where there is no such face; boxes (T, F, 4) x0, y0, x1, y1
        of the mesh and rigid_boxes of its points that speech does not move;
        radii (M, F, rays), NaN without a face; quality (Q, 5): frame, face, sharpness, brightness, clipped share;
        and skin, scene and still of `face.signs.PeopleSigns`.
        """
        found = self._signs.arrays()
        seen = found["confidence"] > 0
        n_faces = seen.shape[1]
        dense = np.where(seen[..., None, None], to_full(found["dense"], self._size, self._full), np.float32(0))
        radii = np.full((-(-self._seen // self._every), n_faces, N_RAYS), np.nan, np.float32)
        for (row, k), values in self._radii.items():
            if k < n_faces:
                radii[row, k] = values
        quality = np.array(self._quality, np.float32).reshape(-1, 5)
        found |= {"dense": dense, "boxes": _boxes(dense), "rigid_boxes": _boxes(dense[..., UPPER, :])}
        self.begin()
        return found | {"radii": radii, "quality": quality}

    def close(self) -> None:
        """Release native resources."""
        self._tracker.close()
        self._contour.close()


def _boxes(dense: F32) -> F32:
    points = dense[..., :2]
    return np.concatenate([points.min(-2), points.max(-2)], -1)
