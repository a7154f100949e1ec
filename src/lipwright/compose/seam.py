"""Where a template can go on from its end to an earlier place: pairs of moments that look and move alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.compose.calm import HeadMotion
from lipwright.compose.tape import fade_length

PictureDistance = Callable[[int, int], float]
"""How different two template frames look, the mouth aside, in any unit (see compose.thumbnails)."""

_MOST = 1500
"""Frames at either end in which a seam is looked for: a minute at 25 a second, 2.25 million pairs."""
_TRIED = 12
"""Seams whose pictures are compared."""
_SAMPLED = 8
"""Pairs of neighbouring frames that tell how much pictures change by themselves."""
_CHANGE = 2.0
"""Times the usual change between neighbours that pictures may lie apart: a fade spreads it over six frames."""
_SHORTEST_S = 2


@dataclass(frozen=True)
class Seam:
    """Frames b, b + 1, ... can fade into a, a + 1, ..."""

    a: int
    b: int
    jump: float
    """Distance of the upper face during the fade, over `HeadMotion.fade_limit`."""
    seen: bool = False
    """Whether the fade would show: jump > 1, or pictures further apart than `_CHANGE` usual changes."""


def find_seam(
    motion: HeadMotion, low: int, high: int, distance: PictureDistance | None, insist: bool = False
) -> Seam | None:
    """The best seam inside [low, high] that loops over at least half of it; None when there is no room.

    The upper face is compared at the start, middle and end of the fade, so that velocities agree too. Pictures are
    compared, which costs some seconds at 4K, only where faces agree, or where a seam is wanted in any case (`insist`).
    """
    candidates = _alike(motion, low, high)
    if not candidates:
        return None
    if distance is None or (candidates[0].jump > 1 and not insist):
        best = candidates[0]
        return Seam(best.a, best.b, best.jump, best.jump > 1)
    middle = fade_length(motion.fps) // 2
    usual = _usual_change(motion, low, high, distance)
    apart = [distance(s.a + middle, s.b + middle) / usual for s in candidates]
    costs = [max(s.jump, change / _CHANGE) for s, change in zip(candidates, apart, strict=True)]
    best = candidates[int(np.argmin(costs))]
    return Seam(best.a, best.b, best.jump, min(costs) > 1)


def _alike(motion: HeadMotion, low: int, high: int) -> list[Seam]:
    """Up to `_TRIED` seams by growing jump, no two of them nearer than a fade."""
    fade = fade_length(motion.fps)
    length = max((high - low) // 2, int(_SHORTEST_S * motion.fps), fade + 1)
    starts = _whole(motion, np.arange(low, min(high - length - fade + 1, low + _MOST) + 1), fade)
    ends = _whole(motion, np.arange(max(low + length, high - fade + 1 - _MOST), high - fade + 2), fade)
    usual = max(motion.fade_limit, 1e-6)
    if not len(starts) or not len(ends):
        return []
    jumps = _distances(motion, starts, ends, fade) / usual
    jumps[ends[None, :] - starts[:, None] < length] = np.inf
    found: list[Seam] = []
    for flat in np.argsort(jumps, axis=None)[: 400 * _TRIED]:
        row, column = np.unravel_index(flat, jumps.shape)
        a, b, jump = int(starts[row]), int(ends[column]), float(jumps[row, column])
        if not np.isfinite(jump) or len(found) == _TRIED:
            break
        if all(abs(a - s.a) >= fade or abs(b - s.b) >= fade for s in found):
            found.append(Seam(a, b, jump))
    return found


def _whole(motion: HeadMotion, starts: NDArray[np.int64], fade: int) -> NDArray[np.int64]:
    """Those starts whose whole fade is usable."""
    if not len(starts):
        return starts
    return starts[motion.good[starts[:, None] + np.arange(fade)].all(1)]


def _distances(
    motion: HeadMotion, starts: NDArray[np.int64], ends: NDArray[np.int64], fade: int
) -> NDArray[np.float64]:
    """(A, B) root mean square distance of the upper-face points over three moments of the fade, pixels."""
    moments = np.array([0, fade // 2, fade - 1])
    centred = motion.upper.astype(np.float64) - motion.upper[motion.good].mean((0, 1))
    x, y = (centred[where[:, None] + moments].reshape(len(where), -1) for where in (starts, ends))
    squared = (x**2).sum(1)[:, None] + (y**2).sum(1)[None] - 2 * x @ y.T
    return np.asarray(np.sqrt(np.maximum(squared, 0) * 2 / x.shape[1]), np.float64)


def _usual_change(motion: HeadMotion, low: int, high: int, distance: PictureDistance) -> float:
    """Median distance of neighbouring pictures at places spread over the stretch."""
    places = np.unique(np.linspace(low, high - 1, _SAMPLED).astype(int))
    return max(float(np.median([distance(int(p), int(p) + 1) for p in places])), 1e-6)
