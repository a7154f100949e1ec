"""The smooth step from 0 to 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def smoothstep(x: NDArray[np.floating[Any]]) -> NDArray[Any]:
    """0 up to 0, 1 from 1, between them 3x² - 2x³: level at both ends. Keeps shape and precision."""
    t = np.clip(x, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
