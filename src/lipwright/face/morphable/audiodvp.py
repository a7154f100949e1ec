"""AudioDVP's camera: 8 units in front of the face, looking at its middle, an angle of 25 degrees.

World points are R (V - t); `face.pose.rotation` is their R. Near 0.01 and far 100; pixel = (ndc + 1) S / 2.
"""

from __future__ import annotations

import numpy as np

from lipwright.core.contracts import F32

DISTANCE, FIELD_DEG, NEAR, FAR = 8.0, 25.0, 0.01, 100.0


def clip(points: F32) -> F32:
    """(..., 3) world points to (..., 4) homogeneous clip coordinates; the camera's up is -y, so x is mirrored."""
    focal = 1 / np.tan(np.deg2rad(FIELD_DEG) / 2)
    w = DISTANCE - points[..., 2]
    z = w * (FAR + NEAR) / (FAR - NEAR) - 2 * FAR * NEAR / (FAR - NEAR)
    return np.stack([-focal * points[..., 0], -focal * points[..., 1], z, w], -1).astype(np.float32)


def screen(points: F32, size: int) -> F32:
    """(..., 2) pixels of world points in a square picture; 0 and `size` are its borders."""
    found = clip(points)
    return np.asarray((found[..., :2] / found[..., 3:] + 1) * size / 2, np.float32)
