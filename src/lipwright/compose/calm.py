"""How the head moves through a template: where it rests, how far its own pictures lie apart, where it is usable."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import round_half_up
from lipwright.core.contracts import F32, FaceTrack
from lipwright.core.ibug import RIGID, UPPER_FACE
from lipwright.face.smooth import runs, smooth_runs

_SMOOTH = 5
_GAP_S = Fraction(1, 2)
"""A shorter gap without a usable face does not end a stretch."""
_LARGE = Fraction(1, 3)
"""Share of all frames from which one usable stretch is enough to stay inside it."""
_UNSEEN, _SEEN = 0.001, 0.003
"""Changes of velocity, in face widths a frame, that nobody sees (a fifth of a pixel for a face of 200) and that
anybody would, whatever else the head does."""
_GHOST = 0.01
"""Distance, in face widths, from which edges look double in a cross-fade."""


@dataclass(frozen=True, eq=False)
class HeadMotion:
    """The head of one track, frame by frame."""

    rigid: F32
    """(T, 19, 2) points that do not move with speech, smoothed over 5 frames, pixels."""
    upper: F32
    """(T, 39, 2) upper-face points with brows and lids, as tracked, pixels."""
    good: NDArray[np.bool_]
    """(T,) a face that may be spoken over."""
    fps: Fraction

    @classmethod
    def of(cls, track: FaceTrack, fps: Fraction) -> HeadMotion:
        """The motion of a track whose frames are 1/fps apart."""
        good = np.asarray(getattr(track, "good", track.present), bool)
        points = track.landmarks_px.astype(np.float32)
        return cls(smooth_runs(points[:, RIGID], good, _SMOOTH), points[:, UPPER_FACE], good, fps)

    def __len__(self) -> int:
        return len(self.good)

    @cached_property
    def speed(self) -> F32:
        """(T,) pixels a frame, root mean square over the rigid points; inf where there is no usable face."""
        moved = _rms(np.gradient(self.rigid, axis=0)) if len(self) > 1 else np.zeros(len(self), np.float32)
        return np.where(self.good, moved, np.inf).astype(np.float32)

    @cached_property
    def usual_jolt(self) -> float:
        """Change of velocity between frames, pixels a frame, that one frame in four of the template exceeds."""
        jolts = _rms(np.diff(self.rigid, n=2, axis=0))
        within = self.good[2:] & self.good[1:-1] & self.good[:-2]
        return float(np.percentile(jolts[within], 75)) if within.any() else 0.0

    @cached_property
    def usual_step(self) -> float:
        """Motion of the upper face between frames, pixels, that one frame in ten of the template exceeds."""
        steps = _rms(np.diff(self.upper, axis=0))
        within = self.good[1:] & self.good[:-1]
        return float(np.percentile(steps[within], 90)) if within.any() else 0.0

    @cached_property
    def face_width(self) -> float:
        """Median width of the rigid points, pixels."""
        return float(np.median(np.ptp(self.rigid[..., 0], axis=1))) if len(self) else 0.0

    def turn_shows(self, frame: int) -> bool:
        """Whether turning back at a frame would change the velocity more than the head itself usually does."""
        limit = min(max(self.usual_jolt, _UNSEEN * self.face_width), _SEEN * self.face_width)
        return bool(2 * self.speed[frame] > limit)

    @cached_property
    def fade_limit(self) -> float:
        """How far apart, in pixels, faces may lie in a cross-fade: the usual step, while edges do not look double."""
        return min(self.usual_step, _GHOST * self.face_width)

    def region(self) -> tuple[int, int]:
        """(first, last) frame of the stretch to stay in: the longest usable one when it is large enough.

        Otherwise from the first to the last usable frame; everything when no frame is usable.
        """
        gap = round_half_up(_GAP_S * self.fps)
        bridged = self.good.copy()
        for start, stop in runs(~self.good):
            if start > 0 and stop < len(self) and stop - start <= gap:
                bridged[start:stop] = True
        stretches = runs(bridged)
        if not stretches:
            return 0, len(self) - 1
        start, stop = max(stretches, key=lambda s: s[1] - s[0])
        if stop - start >= _LARGE * len(self):
            return start, stop - 1
        return stretches[0][0], stretches[-1][1] - 1


def _rms(vectors: NDArray[np.float32]) -> F32:
    """(T, K, 2) to (T,): root mean square length over the K points."""
    return np.sqrt((vectors.astype(np.float64) ** 2).sum(-1).mean(-1)).astype(np.float32)
