"""The tracker's own noise: the floor for every landmark metric.

Third differences remove smooth motion; for white noise of variance v their variance is 20 v
(1² + 3² + 3² + 1²), so v = mean(third difference²) / 20. Fast real motion adds to it,
so it is an upper estimate; after smoothing it is an under-estimate, so it is taken on raw points.
"""

from __future__ import annotations

import numpy as np

from lipwright.core.contracts import F32
from lipwright.face.smooth import runs


def noise_px(points: F32) -> float:
    """RMS distance noise of (T, K, 2) raw tracked points, in their own unit; 0 below four frames.

    The median over points is taken so that blinks do not count.
    """
    if len(points) < 4:
        return 0.0
    third = np.diff(points.astype(np.float64), n=3, axis=0)
    per_point = np.mean(np.sum(third**2, axis=-1), axis=0) / 20
    return float(np.sqrt(np.median(per_point)))


class NoiseMeter:
    """The same over footage of any length, given in stretches; frames without a face end a run.

    The result is the root of the mean of the runs' squared noise, weighted by their frames.
    """

    def __init__(self) -> None:
        self._last: F32 | None = None
        self._sum: np.ndarray | float = 0.0
        self._run = self._frames = 0
        self._power = 0.0

    def add(self, points: F32, present: np.ndarray) -> None:
        """(T, K, 2) raw points of the frames that follow and (T,) whether a face was seen."""
        stretches = runs(present)
        if not stretches or stretches[0][0] > 0:
            self._end()
        for start, stop in stretches:
            if start > 0:
                self._end()
            self._extend(points[start:stop])
        if len(present) and not present[-1]:
            self._end()

    def _extend(self, points: F32) -> None:
        joined = points if self._last is None else np.concatenate([self._last, points])
        if len(joined) > 3:
            third = np.diff(joined.astype(np.float64), n=3, axis=0)
            self._sum = self._sum + np.sum(third**2, axis=(0, -1))
        self._run += len(points)
        self._last = joined[-3:]

    def _end(self) -> None:
        if self._run > 3:
            self._power += self._run * float(np.median(np.asarray(self._sum) / (20 * (self._run - 3))))
        self._frames += self._run
        self._last, self._sum, self._run = None, 0.0, 0

    def result(self) -> float:
        """RMS distance noise in the points' unit; 0 when no run is long enough."""
        self._end()
        return float(np.sqrt(self._power / self._frames)) if self._frames else 0.0
