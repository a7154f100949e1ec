"""Edges that stay at one place of the face: what a seam looks like over time."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import U8, FaceTrack
from lipwright.core.ibug import MOUTH
from lipwright.evaluate.boxes import canonical_maps
from lipwright.face.align import apply, compose
from lipwright.metrics.seam import gradient_map, sticky_edge_score

WIDTH = 160
"""Pixels across the face; smaller faces keep their size."""
MARGIN = 1.15
"""Of the map around all 68 points."""
LIPS_MARGIN = 1.2
"""Of the rectangle around the lips that does not count."""


class EdgeMaps:
    """Mean gradient energy in one canonical face frame, for each of several videos that show the same head.

    Args:
        track: the real face, which places all of them.
    """

    def __init__(self, track: FaceTrack) -> None:
        aligned = canonical_maps(track)
        seen = apply(aligned, track.landmarks_px)[track.present]
        low, high = np.percentile(seen.min(axis=1), 1, axis=0), np.percentile(seen.max(axis=1), 99, axis=0)
        centre, extent = (low + high) / 2, (high - low) * MARGIN
        scale = min(1.0, WIDTH / float(extent[0]))
        self.size = (max(8, round(extent[0] * scale)), max(8, round(extent[1] * scale)))
        place = np.array([[scale, 0, 0], [0, scale, 0]], np.float32)
        place[:, 2] = np.array(self.size) / 2 - scale * centre
        self._maps = compose(np.broadcast_to(place, aligned.shape), aligned)
        self._present = track.present
        mouth = apply(self._maps, track.landmarks_px)[track.present][:, MOUTH]
        self.where = self._outside(mouth.min(axis=(0, 1)), mouth.max(axis=(0, 1)))
        self._sums: dict[str, NDArray[np.float64]] = {}

    def _outside(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
        centre, half = (low + high) / 2, (high - low) / 2 * LIPS_MARGIN
        x, y = np.arange(self.size[0]), np.arange(self.size[1])
        inside = np.outer(np.abs(y - centre[1]) <= half[1], np.abs(x - centre[0]) <= half[0])
        return np.asarray(~inside)

    def add(self, t: int, frames: Mapping[str, U8]) -> None:
        """Take frame `t` of each video, RGB uint8; frames without a face are left out."""
        if not self._present[t]:
            return
        for name, frame in frames.items():
            # Converted after warping: the face is a fraction of the frame.
            face = cv2.warpAffine(frame, self._maps[t], self.size, borderMode=cv2.BORDER_REPLICATE)
            energy = gradient_map(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY))
            self._sums[name] = self._sums.get(name, 0.0) + energy.astype(np.float64)

    def scores(self) -> dict[str, float]:
        """Seam score of every video against 'real'."""
        return {name: sticky_edge_score(total, self._sums["real"], self.where) for name, total in self._sums.items()}
