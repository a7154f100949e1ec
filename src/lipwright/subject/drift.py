"""Whether the sound drifts away from the picture, or jumps, over a clip: a look at offsets in windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import timecode
from lipwright.subject.sync import OffsetEstimate

F64 = NDArray[np.float64]

LEAST_WINDOWS = 6
"""Fewer sure windows tell nothing about change."""
LEAST_CHANGE_S = 0.04
"""A change over the clip below this (one frame at 25 fps) is not worth a word."""
SIGNIFICANT = 4.0
"""Standard errors from which a change is not chance."""
WINDOW_ERROR_S = 0.006
"""Error of an eight-second window at best: few windows that agree by luck are no better."""
_SIDE = 3
"""Sure windows wanted on each side of a jump."""
_FIT = 0.6
"""A jump must leave this share of the mean error that a straight line leaves."""


@dataclass(frozen=True)
class OffsetTrend:
    """How the offset changes over a clip."""

    kind: Literal["unknown", "steady", "drift", "jump"]
    """`unknown`: too few sure windows."""
    slope_ms_per_min: float = 0.0
    """Robust slope of the offset (positive: the sound falls behind more and more), also when it is not significant."""
    slope_error_ms_per_min: float = 0.0
    """Its standard error."""
    jump_ms: float = 0.0
    """How much later the sound is after the jump; 0 unless `kind` is jump."""
    jump_at_s: float = 0.0
    """Where it jumps, to within a window's length."""
    windows: int = 0
    """Sure windows this is based on."""

    @property
    def significant(self) -> bool:
        """Whether the offset changes."""
        return self.kind in ("drift", "jump")

    def __str__(self) -> str:
        if self.kind == "drift":
            return f"the sound drifts by {self.slope_ms_per_min:+.0f} ms a minute"
        if self.kind == "jump":
            return f"the sound jumps by {self.jump_ms:+.0f} ms at about {timecode(self.jump_at_s)}"
        return "the offset is steady" if self.kind == "steady" else "too few sure windows to tell whether it drifts"


def offset_trend(windows: Sequence[tuple[float, OffsetEstimate]]) -> OffsetTrend:
    """Does the offset drift or jump?

    Args:
        windows: (centre in s, estimate) as `offset_over_time` gives them; only sure ones are used.
    Returns:
        the trend. A line through the windows is fitted by the median of slopes (Theil 1950, Sen 1968), one
        jump by medians of both sides: a wrong window among many moves neither.
    """
    sure = [(t, e.offset_s) for t, e in windows if e.sure]
    if len(sure) < LEAST_WINDOWS:
        return OffsetTrend("unknown", windows=len(sure))
    times, offsets = (np.array(column, dtype=np.float64) for column in zip(*sure, strict=True))
    overlap = _overlap([t for t, _ in windows])
    slope, error, line = _line(times, offsets, overlap)
    steady = OffsetTrend("steady", 60_000 * slope, 60_000 * error, windows=len(sure))
    found = _jump(times, offsets, overlap)
    if found is not None and found[2] < _FIT * line:
        return replace(steady, kind="jump", jump_ms=1000 * found[0], jump_at_s=found[1])
    if abs(slope) > SIGNIFICANT * error and abs(slope) * np.ptp(times) >= LEAST_CHANGE_S:
        return replace(steady, kind="drift")
    return steady


def _overlap(centres: Sequence[float]) -> float:
    """Windows that share a piece of the clip: eight seconds every four seconds are half as many as they seem."""
    return 2.0 if len(centres) > 1 and centres[1] - centres[0] < 1.5 * centres[0] else 1.0


def _line(times: F64, offsets: F64, overlap: float) -> tuple[float, float, float]:
    """(slope, its standard error, mean distance of the offsets from the line)."""
    later, earlier = np.triu_indices(len(times), 1)[::-1]
    slope = float(np.median((offsets[later] - offsets[earlier]) / (times[later] - times[earlier])))
    rest = offsets - slope * times
    rest = rest - np.median(rest)
    error = _deviation(rest) * np.sqrt(overlap / ((times - times.mean()) ** 2).sum())
    return slope, float(error), float(np.abs(rest).mean())


def _jump(times: F64, offsets: F64, overlap: float) -> tuple[float, float, float] | None:
    """(height, place, mean distance from the two levels) of the best jump; None when it could be chance."""
    best = None
    for split in range(_SIDE, len(times) - _SIDE + 1):
        sides = offsets[:split], offsets[split:]
        levels = [float(np.median(side)) for side in sides]
        rest = np.concatenate([side - level for side, level in zip(sides, levels, strict=True)])
        cost = float(np.abs(rest).mean())
        if best is None or cost < best[2]:
            error = _deviation(rest) * np.sqrt(overlap * (1 / split + 1 / (len(times) - split)))
            best = levels[1] - levels[0], float(times[split - 1 : split + 1].mean()), cost, error
    if best is None or abs(best[0]) < max(LEAST_CHANGE_S, SIGNIFICANT * best[3]):
        return None
    return best[:3]


def _deviation(rest: F64) -> float:
    """Standard deviation by the median of distances, at least `WINDOW_ERROR_S`."""
    return max(1.4826 * float(np.median(np.abs(rest))), WINDOW_ERROR_S)
