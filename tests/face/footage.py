"""Tracked footage that tests damage on purpose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.face.tracker import MediaPipeTracker

SIZE = 320


@dataclass(frozen=True)
class Tracked:
    """A clip of 25 fps and the mesh found in each frame."""

    frames: list[U8]
    dense: F32

    def __getitem__(self, where: slice) -> Tracked:
        return Tracked(self.frames[where], self.dense[where])

    def boxes(self, points: list[int]) -> F32:
        """(T, 1, 4)."""
        xy = self.dense[:, points, :2]
        return np.concatenate([xy.min(1), xy.max(1)], -1)[:, None]


def track(frames: list[U8], tracker: MediaPipeTracker) -> Tracked:
    found = [tracker.detect(frame) for frame in frames]
    dense = [seen[0][0] if seen else np.zeros((478, 3), np.float32) for seen in found]
    return Tracked(frames, np.stack(dense))
