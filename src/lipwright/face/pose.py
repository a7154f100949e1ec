"""Head pose from rigid points only: a mouth cannot turn the head.

Convention: head axes x right, y up, z towards the viewer (as the viewer sees them); image x right,
y down; frontal = (0, 0, 0); R = Rz(roll)·Ry(yaw)·Rx(pitch). Positive yaw turns the
nose to the image's right, positive pitch lowers it.
"""

from __future__ import annotations

import cv2
import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.ibug import RIGID

# Neutral adult face, centimetres, order of core.ibug.RIGID (landmarks of the ICT Face Model Light's
# neutral shape, MIT licence): generic on purpose, a person's own shape only adds a constant.
MODEL_CM = np.array(
    [
        [-7.363, 3.676, 3.657], [-7.276, 1.491, 3.925], [-6.938, -0.461, 4.533],
        [6.938, -0.461, 4.533], [7.276, 1.491, 3.925], [7.363, 3.676, 3.657],
        [0.0, 3.741, 10.734], [0.0, 2.634, 11.518], [0.0, 1.612, 12.306], [0.0, 0.406, 13.069],
        [-1.253, -1.145, 10.871], [-0.602, -1.138, 11.419], [0.0, -1.203, 11.566],
        [0.602, -1.138, 11.419], [1.253, -1.145, 10.871],
        [-4.459, 3.432, 8.603], [-1.844, 3.252, 9.196], [1.844, 3.252, 9.196], [4.459, 3.432, 8.603],
    ],
    dtype=np.float64,
)  # fmt: skip

FOCAL_PER_WIDTH = 1.6
"""Focal length over the longer picture side: about 35 degrees, a usual portrait lens. Unknown in footage."""

_FLIP = np.diag([1.0, -1.0, -1.0])


def rotation(pose_rad: F32) -> np.ndarray:
    """(…, 3) pitch, yaw, roll to (…, 3, 3) R = Rz·Ry·Rx."""
    pitch, yaw, roll = np.moveaxis(np.asarray(pose_rad, np.float64), -1, 0)
    one, zero = np.ones_like(pitch), np.zeros_like(pitch)

    def matrix(*rows: tuple[np.ndarray, ...]) -> np.ndarray:
        return np.stack([np.stack(row, -1) for row in rows], -2)

    cx, sx, cy, sy, cz, sz = (f(a) for a in (pitch, yaw, roll) for f in (np.cos, np.sin))
    rx = matrix((one, zero, zero), (zero, cx, -sx), (zero, sx, cx))
    ry = matrix((cy, zero, sy), (zero, one, zero), (-sy, zero, cy))
    rz = matrix((cz, -sz, zero), (sz, cz, zero), (zero, zero, one))
    return rz @ ry @ rx


def angles(matrix: np.ndarray) -> F32:
    """(…, 3, 3) rotation to (…, 3) pitch, yaw, roll; inverse of `rotation` for |yaw| < 90 degrees."""
    pitch = np.arctan2(matrix[..., 2, 1], matrix[..., 2, 2])
    yaw = -np.arcsin(np.clip(matrix[..., 2, 0], -1, 1))
    roll = np.arctan2(matrix[..., 1, 0], matrix[..., 0, 0])
    return np.stack([pitch, yaw, roll], -1).astype(np.float32)


def head_pose(landmarks_px: F32, size: tuple[int, int]) -> F32:
    """(T, 68, 2) pixels in frames of `size` (width, height) to (T, 3) pitch, yaw, roll in radians."""
    return PoseFinder(size)(landmarks_px)


class PoseFinder:
    """Poses of consecutive frames, given in stretches of any length: each starts from the pose before.

    Args:
        size: (width, height) of the frames.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        width, height = size
        focal = FOCAL_PER_WIDTH * max(width, height)
        self._camera = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
        self._guess: tuple[np.ndarray, np.ndarray] | None = None

    def __call__(self, landmarks_px: F32) -> F32:
        """(T, 68, 2) pixels of the frames that follow to (T, 3) pitch, yaw, roll in radians."""
        poses = np.zeros((len(landmarks_px), 3), np.float32)
        rigid = np.ascontiguousarray(landmarks_px[:, RIGID], np.float64)
        undistorted = np.zeros(4)
        for t, points in enumerate(rigid):
            if self._guess is None:
                self._guess = _first_pose(points, self._camera)
            turn, shift = cv2.solvePnPRefineLM(MODEL_CM, points, self._camera, undistorted, *self._guess)
            if not np.isfinite(turn).all() or shift[2, 0] <= 0:
                turn, shift = _first_pose(points, self._camera)
            self._guess = (turn, shift)
            poses[t] = angles(_FLIP @ cv2.Rodrigues(turn)[0])
        return poses


def _first_pose(points: np.ndarray, camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation vector and shift without a guess."""
    _, turn, shift = cv2.solvePnP(MODEL_CM, points, camera, np.zeros(4), flags=cv2.SOLVEPNP_SQPNP)
    return turn, shift
