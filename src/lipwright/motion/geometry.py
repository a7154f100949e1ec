"""Head rotation as seen in the picture plane (R = Rz·Ry·Rx, weak perspective)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32


def projection_rows(pose_rad: F32) -> NDArray[np.float64]:
    """(T, 3) pitch, yaw, roll to (T, 6): the first two rows of R, all that a distant camera sees of it."""
    x, y, z = np.asarray(pose_rad, np.float64).T
    cx, sx, cy, sy, cz, sz = np.cos(x), np.sin(x), np.cos(y), np.sin(y), np.cos(z), np.sin(z)
    return np.stack(
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx, sz * cy, sz * sy * sx + cz * cx,
         sz * sy * cx - cz * sx], axis=1,
    )  # fmt: skip


def rotate(points: F32, angle_rad: F32) -> F32:
    """(T, K, 2) vectors turned by (T,) angles in the picture, x towards y."""
    c, s = np.cos(angle_rad)[:, None], np.sin(angle_rad)[:, None]
    x, y = points[..., 0], points[..., 1]
    return np.stack([c * x - s * y, s * x + c * y], axis=-1).astype(np.float32)
