"""Which stretches of long footage to remember: those that leave no mouth of it far from a remembered one."""

from __future__ import annotations

import heapq

import numpy as np

from lipwright.core.contracts import F32, FaceTrack
from lipwright.core.ibug import MOUTH_JAW
from lipwright.face.align import apply
from lipwright.render.memory.features import ShapeWeights, describe
from lipwright.render.region import FaceGeometry

STRETCH_S = 0.32
"""Seconds that are kept or dropped together: the memory plays neighbouring mouths on for free, so thinned one by one
they would be worth less."""
_ASKED = 4000
"""Mouths that must be near a kept one at most, evenly spread."""


def cover(track: FaceTrack, frames: np.ndarray, most: int, stretch: int) -> np.ndarray:
    """At most `most` of `frames` (increasing), in stretches of `stretch`, chosen so that all of them are well matched.

    Greedy facility location: each step takes the stretch that most lowers the sum over mouths of the distance to the
    nearest kept one, which gains at least 1 - 1/e of what is possible (Nemhauser, Wolsey and Fisher 1978); gains only
    shrink, so most need not be computed again (Minoux 1978). Squared distances keep more of what is rare and measured
    worse on what is said.
    """
    if len(frames) <= most:
        return frames
    geometry = FaceGeometry.fit(track.landmarks_px[track.good])
    points = track.landmarks_px[frames]
    shapes = apply(geometry.aligner.maps(points), points[:, MOUTH_JAW])
    rows = describe(shapes, track.pose_rad[frames], geometry.eye_distance, ShapeWeights())
    starts = np.arange(0, len(frames), stretch)
    asked = rows[np.unique(np.linspace(0, len(rows) - 1, _ASKED).astype(int))]
    chosen = _facilities(_nearest_in(asked, rows, starts), max(most // stretch, 1))
    kept = (starts[np.sort(chosen)][:, None] + np.arange(stretch)).ravel()
    return frames[kept[kept < len(frames)]]


def _nearest_in(asked: F32, rows: F32, starts: np.ndarray) -> F32:
    """(stretches, A) distance of each asked mouth to the nearest one of each stretch."""
    stops = [*starts[1:], len(rows)]
    norm = np.square(asked).sum(1)
    result = np.empty((len(starts), len(asked)), np.float32)
    for i, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        part = rows[start:stop]
        result[i] = (norm + np.square(part).sum(1)[:, None] - 2 * part @ asked.T).min(0)
    return np.sqrt(result.clip(min=0))


def _facilities(distance: F32, n: int) -> list[int]:
    """`n` rows of (stretches, A) distances whose least values have the smallest sum, greedily."""
    best = distance.max(0)
    heap = [(-float((best - row).sum(dtype=np.float64)), i) for i, row in enumerate(distance)]
    heapq.heapify(heap)
    chosen: list[int] = []
    while heap and len(chosen) < n:
        _, i = heapq.heappop(heap)
        gain = float(np.maximum(best - distance[i], 0).sum(dtype=np.float64))
        if heap and gain < -heap[0][0]:  # another may be better by now
            heapq.heappush(heap, (-gain, i))
            continue
        chosen.append(i)
        best = np.minimum(best, distance[i])
    return chosen
