"""Where hair grows on the head."""

from __future__ import annotations

import numpy as np

from lipwright.core.contracts import F32
from lipwright.presenter.noise import fractal_noise


def hair_density(points: F32, landmarks: F32, seed: int) -> F32:
    """(…,) 0 bare skin to 1 full hair for points (…, 3) of the neutral head, with a ragged soft hairline.

    The line runs over the forehead, down the temples before the ears, behind them, and to the nape.
    """
    x, y, z = np.abs(points[..., 0]), points[..., 1], points[..., 2]
    brow = float(landmarks[17:27, 1].max())
    ragged = 0.30 * fractal_noise(points, 1.1, seed * 101 + 400) + 0.22 * fractal_noise(points, 4.0, seed + 410, 2)
    # forehead: an arch that falls towards the temples; as a height over the face's front half
    arch = brow + 3.5 - 0.012 * x**2 + 0.75 * np.exp(-((x - 4.6) ** 2) / 2.2)
    front = (y - arch + 1.3 * ragged) / 0.85
    # temples and sides: behind a line that leans back from the temple to the ear
    line = 3.4 + 0.20 * (y - brow)
    side = np.minimum((line - z + 0.6 * ragged) / 0.5, (y - _lower(z, landmarks) + 0.6 * ragged) / 0.5)
    ears = np.clip((8.35 - x) / 0.3, 0, 1)
    return np.asarray(np.clip(np.maximum(front, side), 0, 1) * ears, np.float32)


def _lower(z: F32, landmarks: F32) -> F32:
    """Lower edge of the hair on the side and the back of the head, by depth."""
    ear_top = float(landmarks[0, 1]) + 0.4
    sideburn = ear_top - 1.6
    behind = np.interp(
        z, [-9.0, -5.0, -3.0, -1.2, 1.2, 2.2, 4.0], [-5.0, -4.5, -2.0, ear_top, ear_top, sideburn, sideburn]
    )
    return np.asarray(behind, np.float32)
