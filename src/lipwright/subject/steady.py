"""Smoothing a stretch of a longer track: equal to smoothing the whole, bit for bit, away from its ends."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.face.smooth import windows
from lipwright.face.track import TrackBuilder


def halo(fps: Fraction) -> int:
    """Frames at each end of a stretch that may differ from the whole: the longest window."""
    return windows(float(fps)).rigid


def steady(dense: F32, present: NDArray[np.bool_], fps: Fraction, cut_frames: Sequence[int]) -> F32:
    """(T, 478, 3) filled meshes smoothed in time, within runs of seen frames (T,) and shots."""
    return TrackBuilder((1, 1), fps=float(fps))._smooth(dense, present, cut_frames)
