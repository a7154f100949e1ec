"""Where a template's mouth is replaced by a generated one, and how the two fade into each other."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, FaceTrack
from lipwright.face.smooth import runs

_BLINK_S = Fraction(1, 12)
"""Bad moments of a template that are at most this long are spoken over."""
_FADE_S = Fraction(1, 5)
"""Seconds over which the generated mouth fades where the template's face is lost or found."""


def strength(track: FaceTrack, fps: Fraction) -> F32:
    """(T,) how much of the generated picture is shown over each frame of a track."""
    return blend_strength(spoken_over(track, round(_BLINK_S * fps)), round(_FADE_S * fps))


def spoken_over(track: FaceTrack, shortest: int) -> NDArray[np.bool_]:
    """(T,) where the mouth is generated: all good frames, and a seen face's bad moments of at most `shortest` frames.

    A cut in the footage is such a moment: showing the template's own mouth for one frame would be seen.
    """
    spoken = track.good.copy()
    for start, stop in runs(~spoken):
        if stop - start <= shortest and track.present[start:stop].all():
            spoken[start:stop] = True
    return spoken


def blend_strength(good: np.ndarray, fade: int) -> F32:
    """(T,) 1 where the face can be spoken over, 0 where not, fading over `fade` frames inside the good stretches."""
    strength = np.zeros(len(good), np.float32)
    for start, stop in runs(good):
        inside = np.arange(stop - start)
        rise = np.ones(stop - start) if start == 0 else (inside + 1) / (fade + 1)
        fall = np.ones(stop - start) if stop == len(good) else (inside[::-1] + 1) / (fade + 1)
        strength[start:stop] = np.minimum(1, np.minimum(rise, fall))
    return strength
