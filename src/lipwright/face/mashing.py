"""Keypoint mashing: the mouth of one frame on the head of another, with recovered depth (SPEC 6, equations 1, 2).

    K = proj(P · K^f)           (1)
    K^f = P^-1 · proj^-1(K)     (2)

Detected points have no depth, so the person's mean face C is put where the head is and its depth is attached to
them: z = (P_i C)_z. Then K_{i->j} = proj(P_j K^f) is where frame j's head would show frame i's mouth.

Axes: head as in face.pose (x right, y up, z to the viewer), camera x right, y down, z away, in the pixels of the
frame for an orthographic camera and in the unit of C for a perspective one. A pose P is a 4 x 4 map from the first to
the second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError, ShapeError
from lipwright.core.ibug import JAW, MOUTH, RIGID
from lipwright.face.landmarks68 import MAP_68
from lipwright.face.pose import FOCAL_PER_WIDTH, rotation

F64 = NDArray[np.float64]

FARTHEST_RAD = float(np.deg2rad(25))
"""Pairs whose yaw or pitch differ by more are not mashed: artefacts come from vastly different poses."""
CHIN_SHARE = 0.6
"""How much of the transfer the chin takes; it falls to 0 at the jaw's ends 4 and 12."""
_CHIN, _LIP, _NOSE = 8, 57, 27
_FALL = 1 - np.abs(np.array(JAW) - _CHIN) / 4
_PRIOR = 0.001
"""Weight of the mesh's depth against a frame's evidence, where heads turn little: as (1.8 degrees)² of turning."""
_ROUNDS = 6
_FLIP = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class Camera:
    """What projects a point in camera axes onto the picture."""

    focal_px: float | None = None
    """Focal length in pixels; None is orthographic."""
    centre_px: tuple[float, float] = (0.0, 0.0)
    """Principal point."""

    def __post_init__(self) -> None:
        if self.focal_px is not None and not self.focal_px > 0:
            raise ConfigError(f"focal length {self.focal_px:g} px is not positive; use None for an orthographic camera")

    @classmethod
    def of_frame(cls, size: tuple[int, int]) -> Camera:
        """The perspective camera that face.pose assumes for frames of `size` (width, height)."""
        return cls(FOCAL_PER_WIDTH * max(size), ((size[0] - 1) / 2, (size[1] - 1) / 2))

    def project(self, points: F64) -> F64:
        """(…, n, 3) in camera axes to (…, n, 2) pixels: proj."""
        flat = points[..., :2]
        if self.focal_px is not None:
            flat = flat * self.focal_px / points[..., 2:]
        return flat + np.asarray(self.centre_px)

    def lift(self, points_px: F64, depth: F64) -> F64:
        """(…, n, 2) pixels at (…, n) depth to (…, n, 3) in camera axes: proj^-1."""
        flat = points_px - np.asarray(self.centre_px)
        if self.focal_px is not None:
            flat = flat * depth[..., None] / self.focal_px
        return np.concatenate([flat, depth[..., None]], -1)


def canonical(landmarks_px: F32, pose_rad: F32, camera: Camera, dense_px: F32 | None = None) -> F64:
    """(68, 3) the person's mean face C in head axes, in pixels of the median frame.

    Each point is triangulated from all frames with the poses known (least squares); where heads turn too little to
    tell depth, that of the tracker's mesh stands in.

    Args: landmarks_px (T, 68, 2), pose_rad (T, 3), dense_px (T, 478, 3) the tracker's mesh (FaceTrack).
    """
    if landmarks_px.shape[1:] != (68, 2) or len(pose_rad) != len(landmarks_px):
        raise ShapeError("landmarks_px", (len(pose_rad), 68, 2), landmarks_px.shape)
    turned = _FLIP @ rotation(pose_rad)
    rigid = landmarks_px[:, RIGID].astype(np.float64)
    centre = rigid.mean(1, keepdims=True)
    size = np.linalg.norm(rigid - centre, axis=(1, 2))
    prior = _mesh_depth(dense_px, turned, size) if dense_px is not None else np.zeros(68)
    shape = _triangulated((landmarks_px - centre) * (np.median(size) / size)[:, None, None], turned, prior)
    for _ in range(_ROUNDS):  # place, scale and depth of each frame depend on the shape, and it on them
        placed = poses(landmarks_px, pose_rad, shape, camera)
        lifted = camera.lift(landmarks_px.astype(np.float64), _moved(placed, shape)[..., 2])
        scale = np.cbrt(np.linalg.det(placed[:, :3, :3]))[:, None, None]
        shape = _triangulated((lifted[..., :2] - placed[:, None, :2, 3]) / scale, turned, prior)
    return shape


def poses(landmarks_px: F32, pose_rad: F32, shape: F64, camera: Camera) -> F64:
    """(T, 4, 4) P of each frame: the rotation as tracked, scale and place from rigid points against `shape`.

    Args: landmarks_px (T, 68, 2), pose_rad (T, 3), shape (68, 3) canonical keypoints. For a perspective camera the
    scale is 1 and the place has a distance.
    """
    turned = _FLIP @ rotation(pose_rad)
    result = np.tile(np.eye(4), (len(turned), 1, 1))
    if camera.focal_px is None:
        scale, shift = _placed(landmarks_px - np.asarray(camera.centre_px), turned, shape)
        result[:, :3, :3] = scale[:, None, None] * turned
        result[:, :2, 3] = shift
        return result
    result[:, :3, :3] = turned
    for t, points in enumerate(landmarks_px[:, RIGID].astype(np.float64) - np.asarray(camera.centre_px)):
        # u·(Z + tz) = f·(X + tx) is linear in the place, two equations a point.
        around = shape[RIGID] @ turned[t].T
        rows = np.zeros((len(RIGID), 2, 3))
        rows[:, 0, 0] = rows[:, 1, 1] = camera.focal_px
        rows[:, :, 2] = -points
        known = points * around[:, 2:] - camera.focal_px * around[:, :2]
        result[t, :3, 3] = np.linalg.lstsq(rows.reshape(-1, 3), known.reshape(-1), rcond=None)[0]
    return result


def transfer(points_i: F32, pose_i: F64, pose_j: F64, camera: Camera, shape: F64) -> F64:
    """(…, 68, 2) K_{i->j}: where head j would show what frame i shows; equations 2, then 1."""
    depth = _moved(pose_i, shape)[..., 2]
    lifted = camera.lift(np.asarray(points_i, np.float64), depth)
    return camera.project(_moved(pose_j, _moved(np.linalg.inv(pose_i), lifted)))


def mash(points_i: F32, pose_i: F64, points_j: F32, pose_j: F64, camera: Camera, shape: F64) -> F32:
    """(…, 68, 2) keypoints K of frame j with the mouth of frame i; i = j returns K_j.

    Mouth points are replaced. Jaw points follow the same transfer by `CHIN_SHARE` at the chin down to 0 at 4 and 12:
    by more where the chin would else be nearer to the lower lip, or farther from it, than in both frames.

    Args: points (…, 68, 2) frame pixels; poses (…, 4, 4) from `poses`; shape (68, 3) from `canonical`.
    """
    moved = transfer(points_i, pose_i, pose_j, camera, shape)
    own = np.asarray(points_j, np.float64)
    result = own.copy()
    result[..., MOUTH, :] = moved[..., MOUTH, :]
    weights = _chin_share(moved, own)[..., None] * _FALL
    result[..., JAW, :] += weights[..., None] * (moved[..., JAW, :] - own[..., JAW, :])
    return result.astype(np.float32)


def near(pose_i: F32, pose_j: F32, farthest_rad: float = FARTHEST_RAD) -> NDArray[np.bool_]:
    """(…,) whether pitch and yaw of two (…, 3) poses are near enough to mash."""
    return np.asarray((np.abs(np.asarray(pose_i)[..., :2] - np.asarray(pose_j)[..., :2]) <= farthest_rad).all(-1))


def chin_gap(points: F64) -> F64:
    """(…,) how far the chin lies below the lower lip of (…, 68, 2) points, along the face; negative is above it."""
    return _gap(points, points, points)


def _gap(chin: F64, lip: F64, face: F64) -> F64:
    """(…,) from the lower lip of `lip` to the chin of `chin`, in the direction from nose to chin of `face`."""
    down = np.asarray(face[..., _CHIN, :] - face[..., _NOSE, :], np.float64)
    down = down / np.linalg.norm(down, axis=-1, keepdims=True)
    return np.asarray(((chin[..., _CHIN, :] - lip[..., _LIP, :]) * down).sum(-1))


def _chin_share(moved: F64, own: F64) -> F64:
    """(…,) the least weight of the chin from `CHIN_SHARE` on that keeps its gap between those of the two frames."""
    there, here = _gap(moved, moved, own), _gap(own, own, own)
    start = _gap(own, moved, own)  # of weight 0; linear, `there` at weight 1
    slope = there - start
    at = start + CHIN_SHARE * slope
    bound = np.clip(at, np.minimum(there, here), np.maximum(there, here))
    safe = np.where(np.abs(slope) > 1e-9, slope, 1.0)
    return np.clip(np.where(bound == at, CHIN_SHARE, (bound - start) / safe), CHIN_SHARE, 1.0)


def _moved(pose: F64, points: F64) -> F64:
    """(…, 4, 4) maps on (…, n, 3) points."""
    return points @ np.swapaxes(pose[..., :3, :3], -1, -2) + pose[..., None, :3, 3]


def _placed(landmarks_px: np.ndarray, turned: F64, shape: F64) -> tuple[F64, F64]:
    """(T,) scales and (T, 2) shifts that put the turned rigid points of `shape` onto those seen."""
    flat = np.einsum("tij,kj->tki", turned[:, :2], shape[RIGID])
    seen = landmarks_px[:, RIGID].astype(np.float64)
    middle, target = flat.mean(1, keepdims=True), seen.mean(1, keepdims=True)
    scale = ((flat - middle) * (seen - target)).sum((1, 2)) / np.maximum(((flat - middle) ** 2).sum((1, 2)), 1e-12)
    return scale, target[:, 0] - scale[:, None] * middle[:, 0]


def _triangulated(seen: F64, turned: F64, prior: F64) -> F64:
    """(68, 3) least squares over frames of seen = (turned · C)_xy, depth drawn to `prior` (68,)."""
    rows = turned[:, :2]
    normal = np.einsum("tij,tik->jk", rows, rows)
    normal[2, 2] += _PRIOR * len(seen)
    right = np.einsum("tij,tki->kj", rows, seen)
    right[:, 2] += _PRIOR * len(seen) * prior
    return np.linalg.solve(normal, right.T).T


def _mesh_depth(dense_px: F32, turned: F64, size: F64) -> F64:
    """(68,) mean z of the mesh in head axes, relative to the mean of the rigid points, scaled like the frames."""
    spread = np.unique(np.linspace(0, len(dense_px) - 1, min(len(dense_px), 500)).astype(int))
    points = np.einsum("kv,tvc->tkc", MAP_68, np.asarray(dense_px[spread], np.float64))
    points = points - points[:, RIGID].mean(1, keepdims=True)
    points = points * (np.median(size) / size[spread])[:, None, None]
    return np.asarray(np.einsum("tji,tkj->tki", turned[spread], points)[..., 2].mean(0))
