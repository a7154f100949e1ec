"""How much of something must be added to a signal to give it an energy."""

from __future__ import annotations

import numpy as np


def needed(has: float, cross: float, more: float, wanted: float) -> float:
    """The gain g >= 0 with which a + g b has the energy `wanted`: `has` is a², `cross` a b and `more` b²."""
    if more <= 0 or has >= wanted:
        return 0.0
    return float((np.sqrt(cross * cross + more * (wanted - has)) - cross) / more)
