"""Quick movement that regressions lose, given back: one number of a person, found on held-out speech.

A regression draws the mean of what it cannot tell, so its lips set off late, turn early and never snap. The movement
has its turns all the same, only rounder; more of what a small blur over time takes away brings them back to the energy
that the person's own lips have between frames:

    p' = p + g·(p - blur(p))

It is `render.crisp` over time: closures and peaks keep their moments, and nothing is added where nothing moves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.gain import needed
from lipwright.motion.filters import low_pass, radius

BLUR = 1.0
"""Deviation in frames of the blur whose loss is given back."""
REACH = radius(BLUR)
"""Frames on each side that it reads."""
MOST = 1.0
"""Of that loss at most: more would show as trembling."""


def quickened(rows: F32, gain: float) -> F32:
    """(T, ...) with `gain` times what a small blur over time takes away added; 0 returns them as they are."""
    if gain <= 0:
        return rows
    return (rows + np.float32(gain) * (rows - low_pass(rows, BLUR))).astype(np.float32)


def quick_gain(guess: F32, real: F32, follows: NDArray[np.bool_], share: float) -> float:
    """The gain, 0 to `MOST`, that gives predictions this share of the real inter-frame energy.

    Args:
        guess: (N, ...) what is predicted of frames that were not learnt from; real: (N, ...) as they are.
        follows: (N - 1,) where a row is the frame after the one before it.
    """
    slow, added = (np.diff(rows, axis=0)[follows].astype(np.float64) for rows in (guess, guess - low_pass(guess, BLUR)))
    wanted = share * (np.diff(real, axis=0)[follows].astype(np.float64) ** 2).sum()
    return min(needed((slow**2).sum(), (slow * added).sum(), (added**2).sum(), float(wanted)), MOST)
