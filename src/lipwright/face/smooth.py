"""Temporal smoothing that adds no lag: symmetric Savitzky-Golay windows, never across a gap or a cut.

Windows follow what a point can do: at 25 fps lips need 5 frames (a /p/ lasts two or three), lids 5 (blinks),
the jaw 7, everything rigid 11; other rates scale them, because lips are as fast at every rate. Savitzky and
Golay 1964; windows of the order used by MakeItTalk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32

LIP_WINDOW, LID_WINDOW, JAW_WINDOW, RIGID_WINDOW = 5, 5, 7, 11
"""Frames at `WINDOWS_FPS`."""
WINDOWS_FPS = 25.0


@dataclass(frozen=True)
class Windows:
    """Odd numbers of frames, at least 3."""

    lip: int
    lid: int
    jaw: int
    rigid: int


def windows(fps: float) -> Windows:
    """The windows that span as many seconds at `fps` as the constants above do at 25.

    The span between the first and the last sample of a window is what scales: (n - 1) / fps seconds.
    """

    def scaled(frames: int) -> int:
        return max(2 * round((frames - 1) * fps / WINDOWS_FPS / 2) + 1, 3)

    return Windows(*(scaled(n) for n in (LIP_WINDOW, LID_WINDOW, JAW_WINDOW, RIGID_WINDOW)))


def smooth(values: F32, window: int, order: int = 2) -> F32:
    """Zero-lag smoothing along axis 0; sequences shorter than the window use a shorter odd one."""
    window = min(window, len(values) - 1 + len(values) % 2)
    if window <= order:
        return values.astype(np.float32)
    from scipy.signal import savgol_filter  # takes a third of a second, and speaking never smooths

    return savgol_filter(values, window, order, axis=0, mode="interp").astype(np.float32)


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Maximal [start, stop) stretches where `mask` holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def fill_gaps(values: F32, present: NDArray[np.bool_]) -> F32:
    """Linear interpolation over frames without a face; the ends hold the nearest seen value."""
    if present.all() or not present.any():
        return values
    known = np.flatnonzero(present)
    every = np.arange(len(values))
    flat = values.reshape(len(values), -1)
    filled = np.stack([np.interp(every, known, column[known]) for column in flat.T], axis=1)
    return filled.reshape(values.shape).astype(np.float32)


def smooth_runs(values: F32, present: NDArray[np.bool_], window: int, order: int = 2) -> F32:
    """`smooth` inside each stretch of seen frames."""
    result = values.copy()
    for start, stop in runs(present):
        result[start:stop] = smooth(values[start:stop], window, order)
    return result
