"""Expression and pose of many frames at once: Gauss-Newton steps on points and brightness with a prior.

E = Σ_k w_k ρ(|u_k - u*_k| / σ) + Σ_p ρ(|I(u_p) - m_p| / σ_I) + |δ|², ρ Geman and McClure's (1985), which forgets what
lies far off: a hand over the mouth is an outlier, not a smile. Brightness is compared at vertices, not at pixels, so
that a step costs milliseconds; what is drawn for error and overlay goes through the rasteriser.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.face.pose import angles, rotation
from lipwright.face.raster import Camera

_FAR = 3.0
"""Standard deviations at which an error counts a quarter."""


@dataclass(frozen=True)
class Points:
    """K points of a model with the geometry put in."""

    still: F32
    """(K, 3) cm."""
    moves: F32
    """(E, K, 3) cm per standard deviation."""


@dataclass(frozen=True)
class Noise:
    """How wrong each kind of evidence usually is."""

    points_px: float = 1.0
    """Standard deviation of a tracked point."""
    brightness: float = 0.06
    """Standard deviation of a sample's brightness, of 1."""
    samples: float = 0.15
    """Weight of one brightness sample: neighbours repeat each other."""


@dataclass
class State:
    """T frames while they are solved."""

    expression: F32
    """(T, E)."""
    turn: NDArray[np.float64]
    """(T, 3, 3)."""
    shift: NDArray[np.float64]
    """(T, 3) cm."""

    @property
    def pose_rad(self) -> F32:
        """(T, 3) pitch, yaw, roll."""
        return angles(self.turn)


@dataclass(frozen=True)
class Projected:
    """Points in the picture, and how they move with the unknowns."""

    px: F32
    """(T, K, 2)."""
    jacobian: F32
    """(T, K, 2, E + 6): expression, turn about the head's origin, shift."""


Brightness = Callable[[State, F32], tuple[F32, F32]]
"""State and (T, P, 2) pixels to (T, P) errors of brightness and its (T, P, 2) gradients."""


def first_state(points: Points, seen_px: F32, pose_rad: F32, camera: Camera) -> State:
    """No expression, the tracker's pose, and the place where the mean face covers (T, K, 2) points best."""
    turn = rotation(pose_rad)
    turned = np.einsum("tij,kj->tki", turn, points.still)
    away = seen_px - np.asarray(camera.centre_px)
    away[..., 1] *= -1
    n, k = seen_px.shape[:2]
    rows = np.zeros((n, k, 2, 3))
    rows[:, :, 0, 0] = rows[:, :, 1, 1] = camera.focal_px
    rows[..., 2] = away
    wanted = -away * turned[..., 2:] - camera.focal_px * turned[..., :2]
    a, b = rows.reshape(n, -1, 3), wanted.reshape(n, -1, 1)
    shift = np.linalg.solve(np.swapaxes(a, 1, 2) @ a, np.swapaxes(a, 1, 2) @ b)[..., 0]
    return State(np.zeros((n, len(points.moves)), np.float32), turn, shift)


def projected(points: Points, state: State, camera: Camera) -> Projected:
    """Where points are, and how that changes."""
    flat = points.moves.reshape(len(points.moves), points.still.size)  # also of no expression at all
    shape = points.still + (state.expression @ flat).reshape(-1, *points.still.shape)
    turn = state.turn.astype(np.float32)
    turned = shape @ np.swapaxes(turn, 1, 2)
    placed = turned + state.shift[:, None].astype(np.float32)
    depth = np.maximum(-placed[..., 2], 1e-3)
    scale = np.float32(camera.focal_px) / depth
    px = np.stack([camera.centre_px[0] + placed[..., 0] * scale, camera.centre_px[1] - placed[..., 1] * scale], -1)
    # d pixel / d camera point
    slopes = np.zeros((*depth.shape, 2, 3), np.float32)
    slopes[..., 0, 0], slopes[..., 0, 2] = scale, placed[..., 0] * scale / depth
    slopes[..., 1, 1], slopes[..., 1, 2] = -scale, -placed[..., 1] * scale / depth
    n_moves = len(points.moves)
    jacobian = np.empty((*depth.shape, 2, n_moves + 6), np.float32)
    inner = slopes @ turn[:, None]  # d pixel / d head point
    jacobian[..., :n_moves] = inner @ points.moves.transpose(1, 2, 0)[None]
    x, y, z = np.moveaxis(turned, -1, 0)
    zero = np.zeros_like(x)
    # column j of the last matrix is axis j x turned point
    cross = np.stack([np.stack(r, -1) for r in ((zero, z, -y), (-z, zero, x), (y, -x, zero))], -2)
    jacobian[..., n_moves : n_moves + 3] = slopes @ cross
    jacobian[..., n_moves + 3 :] = slopes
    return Projected(px.astype(np.float32), jacobian)


def trust(errors: F32) -> F32:
    """Weights of errors in standard deviations: 1 near 0, a quarter at 3, and soon nothing."""
    return np.asarray(1 / (1 + (errors / _FAR) ** 2) ** 2, np.float32)


def step(
    state: State,
    points: Points,
    seen_px: F32,
    weights: F32,
    camera: Camera,
    noise: Noise,
    *,
    robust: bool = True,
    samples: Points | None = None,
    brightness: Brightness | None = None,
) -> State:
    """One Gauss-Newton step of all frames.

    Args:
        state: where to start.
        points: the model's points, and `seen_px` (T, K, 2) where they were seen, `weights` (K,).
        camera: of the pictures.
        noise: of the evidence.
        robust: trust far errors less; off while the start is rough.
        samples: P points whose brightness is compared, by `brightness`.
    """
    n_moves = len(points.moves)
    found = projected(points, state, camera)
    away = (seen_px - found.px) / np.float32(noise.points_px)
    trusted = np.broadcast_to(weights, away.shape[:2])
    if robust:
        trusted = weights * trust(np.linalg.norm(away, axis=-1))
    rows = found.jacobian.reshape(len(away), -1, n_moves + 6) / np.float32(noise.points_px)
    scaled = rows * np.repeat(trusted, 2, axis=-1).reshape(len(away), -1, 1)
    normal = np.swapaxes(scaled, 1, 2) @ rows
    right = np.swapaxes(scaled, 1, 2) @ away.reshape(len(away), -1, 1)
    if samples is not None and brightness is not None:
        at = projected(samples, state, camera)
        errors, gradients = brightness(state, at.px)
        errors = errors / np.float32(noise.brightness)
        slopes = (gradients[:, :, None] @ at.jacobian)[:, :, 0] / np.float32(noise.brightness)
        scaled = slopes * (noise.samples * trust(np.abs(errors)))[..., None]
        normal += np.swapaxes(scaled, 1, 2) @ slopes
        right -= np.swapaxes(scaled, 1, 2) @ errors[..., None]
    prior = np.concatenate([np.ones(n_moves), np.full(6, 1e-6)])
    normal = normal.astype(np.float64) + np.diag(prior)
    right = right[..., 0].astype(np.float64)
    right[:, :n_moves] -= state.expression
    change = np.linalg.solve(normal, right[..., None])[..., 0]
    turned = _small_turn(change[:, n_moves : n_moves + 3]) @ state.turn
    expression = (state.expression + change[:, :n_moves]).astype(np.float32)
    return State(expression, turned, state.shift + change[:, n_moves + 3 :])


def geometry_step(
    state: State, points: Points, bends: F32, seen_px: F32, weights: F32, camera: Camera, noise: Noise, known: F32
) -> F32:
    """(G,) geometry of all frames together, given expression and pose: one step from `known`.

    Args:
        bends: (G, K, 3) cm per standard deviation.
        known: (G,) what `points.still` already holds.
    The frames are of one face and share its tracking errors; together they count as ten. Every point has its say here:
    what lies far off is what geometry is to explain.
    """
    found = projected(Points(points.still, points.moves), state, camera)
    inner = projected(Points(points.still, bends), _posed_only(state, len(bends)), camera)
    slopes = inner.jacobian[..., : len(bends)] / np.float32(noise.points_px)
    away = (seen_px - found.px) / np.float32(noise.points_px)
    rows = slopes.reshape(-1, len(bends)).astype(np.float64)
    share = np.repeat(np.tile(weights, len(away)), 2) * min(10 / len(away), 1.0)
    normal = (rows * share[:, None]).T @ rows + np.eye(len(bends))
    right = (rows * share[:, None]).T @ away.ravel() - known
    return np.asarray(known + np.linalg.solve(normal, right), np.float32)


def _posed_only(state: State, n: int) -> State:
    return State(np.zeros((len(state.turn), n), np.float32), state.turn, state.shift)


def _small_turn(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 3) rotation vectors to (T, 3, 3) matrices (Rodrigues)."""
    angle = np.linalg.norm(vector, axis=1)[:, None, None]
    x, y, z = vector.T
    zero = np.zeros_like(x)
    cross = np.stack([np.stack(r, -1) for r in ((zero, -z, y), (z, zero, -x), (-y, x, zero))], -2)
    near = np.maximum(angle, 1e-12)
    result: NDArray[np.float64] = np.eye(3) + np.sin(near) / near * cross + (1 - np.cos(near)) / near**2 * cross @ cross
    return result
