"""Which template frame carries which frame of the result: forwards, then backwards, without a jump.

Ping-pong never jumps in position; it turns where the head moves slowest near either end, so the reversal
of motion does not show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import U8, FaceTrack
from lipwright.face.smooth import smooth
from lipwright.media.store import FrameStore

_TURN_SEARCH = 50
"""Frames from each end in which a calm turning point is looked for."""


@dataclass(frozen=True)
class TemplateWalk:
    """Frame numbers first..last and back again, for ever; `index(t)` for any t, also negative (held)."""

    first: int
    last: int

    @classmethod
    def through(cls, track: FaceTrack, n_frames: int | None = None) -> TemplateWalk:
        """Between the calmest frames near both ends of a track; short templates use all of it.

        A result of `n_frames` that the template can carry without turning back uses its frames as they are.
        """
        n = len(track)
        if n < 3 or (n_frames is not None and n_frames <= n):
            return cls(0, n - 1)
        centre = smooth(track.landmarks_px[:, 27:36].mean(1), 5)
        turn = smooth(track.pose_rad, 5) * np.ptp(track.landmarks_px[..., 0])
        speed = np.linalg.norm(np.gradient(centre, axis=0), axis=1) + np.linalg.norm(np.gradient(turn, axis=0), axis=1)
        speed = np.where(track.present, speed, np.inf)
        reach = min(_TURN_SEARCH, n // 6)
        if reach < 1 or not np.isfinite(speed[n - reach :]).any():
            return cls(0, n - 1)
        # The start stays where the template starts: users expect its first picture. Only turns are moved.
        return cls(0, n - reach + int(np.argmin(speed[n - reach :])))

    def index(self, t: int) -> int:
        """Template frame of result frame t."""
        span = self.last - self.first
        if span <= 0 or t <= 0:
            return self.first
        phase = t % (2 * span)
        return self.first + (phase if phase <= span else 2 * span - phase)

    def indices(self, start: int, stop: int) -> np.ndarray:
        """Template frames of result frames [start, stop)."""
        return np.array([self.index(t) for t in range(start, stop)], dtype=int)

    def frames(self, store: FrameStore, n: int) -> Iterator[U8]:
        """The pictures of result frames [0, n), decoded in order, in the memory of one keyframe group."""
        t = 0
        while t < n:
            span = self.last - self.first
            if span <= 0:
                picture = store.frame(self.first)
                while t < n:
                    yield picture
                    t += 1
                return
            forwards = (t // span) % 2 == 0
            count = min(span, n - t)
            # Each leg gives `span` pictures: the turning picture belongs to the leg that leaves it.
            if forwards:
                yield from store.read(self.first, count)
            else:
                yield from store.backward(self.last, count)
            t += count
