"""A morphable face of one person, out of nothing but their prepared footage.

The tracker's meshes are laid over each other by the points that speech does not move; their mean is the person, their
principal components are what the face does. Geometry may still bend smoothly (the tracker guesses depth), which
`fit.identity` decides. Texture is the mean skin with the light taken out; its components are how single frames differ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.errors import SubjectError
from lipwright.core.ibug import RIGID
from lipwright.face.landmarks68 import MAP_68
from lipwright.face.mesh import LIDS, LIPS, LOWER_FACE
from lipwright.face.morphable.mesh478 import N_POINTS, smooth_modes, surface
from lipwright.face.morphable.model import FaceModel, Landmarks, camera_of
from lipwright.face.pose import MODEL_CM

Frames = Callable[[int], U8]
"""Frame number to its RGB picture (H, W, 3)."""
_STILL = np.setdiff1d(np.arange(N_POINTS), [*LIPS, *LOWER_FACE, *LIDS])
"""Points that neither speech nor blinking moves."""
_MODES, _BEND_CM = 12, 0.25
"""Smooth ways the geometry may bend along each axis, and how far the smoothest one bends."""
_SKIN = (0.72, 0.55, 0.47)
"""Albedo before any picture is looked at."""


@dataclass(frozen=True)
class PersonConfig:
    """How a person's model is made."""

    frames: int = 400
    """At most so many frames, evenly spread, make the components."""
    expressions: int = 40
    """Components of expression."""
    level: int = 2
    """Each triangle of the tracked mesh becomes 4 ** level."""


def build(track: FaceTrack, config: PersonConfig | None = None) -> FaceModel:
    """The person's model with a plain skin (`texture.learn` gives it theirs).

    SubjectError when fewer than 20 frames can be used.
    """
    config = config or PersonConfig()
    good = np.flatnonzero(track.good)
    if len(good) < 20:
        raise SubjectError(
            f"a face model needs at least 20 frames with a usable face, this footage has {len(good)}; use more"
        )
    chosen = good[np.unique(np.linspace(0, len(good) - 1, config.frames).round().astype(int))]
    meshes = np.asarray(track.dense_px[chosen][:, :N_POINTS], np.float64) * [1, -1, -1]
    mean, aligned, cm_per_px = aligned_meshes(meshes)
    mean, aligned = (without_perspective(m, camera_of(track.size).focal_px * cm_per_px) for m in (mean, aligned))
    moves = (aligned - mean).reshape(len(aligned), -1)
    _, spread, ways = np.linalg.svd(moves, full_matrices=False)
    count = min(config.expressions, len(chosen) - 1)
    scale = spread[:count] / np.sqrt(max(len(chosen) - 1, 1))
    expression = (ways[:count] * scale[:, None]).reshape(count, N_POINTS, 3).astype(np.float32)
    return on_surface(mean.astype(np.float32), bends(), expression, config.level)


def on_surface(mean: F32, geometry: F32, expression: F32, level: int = 2) -> FaceModel:
    """A model of (468, 3), (G, 468, 3) and (E, 468, 3) of the tracked points, carried to the closed finer surface."""
    mesh = surface(level)
    n = len(mesh.matrix)
    skin = np.tile(np.array(_SKIN, np.float32), (n, 1))
    skin[mesh.inside] *= 0.25
    points = np.arange(N_POINTS, dtype=np.int32)
    return FaceModel(
        name="person",
        mean=mesh(mean) + mesh.offset,
        geometry=mesh(geometry),
        expression=mesh(expression),
        mean_texture=skin,
        texture=np.zeros((0, n, 3), np.float32),
        triangles=mesh.triangles,
        landmark68=Landmarks.mixed(MAP_68[:, :N_POINTS]),
        dense=Landmarks.at(points),
        dense_points=points,
        inside=mesh.inside,
    )


def bends() -> F32:
    """(3 · 12, 468, 3) smooth deformations along x, y and z, the finer the smaller."""
    modes = smooth_modes(_MODES)
    out = np.zeros((3 * _MODES, N_POINTS, 3), np.float32)
    for axis in range(3):
        for k in range(_MODES):
            out[axis * _MODES + k, :, axis] = modes[k] * _BEND_CM / (1 + k) ** 0.5
    return out


def without_perspective(points: NDArray[np.float64], distance_cm: float) -> NDArray[np.float64]:
    """(..., 468, 3) tracked points in head axes to where they are in space.

    The tracker's x and y are those of the picture, where what is nearer is larger; seen from `distance_cm` on its axis,
    a point that lies z nearer than the mean of the still ones is drawn 1 / (1 - z / distance) too large.
    """
    depth = points[..., 2:] - points[..., _STILL, 2].mean(-1)[..., None, None]
    return np.concatenate([points[..., :2] * (1 - depth / distance_cm), points[..., 2:]], axis=-1)


def aligned_meshes(
    meshes: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """(468, 3) mean and (n, 468, 3) meshes in centimetres and head axes, without position, turn and size; cm per unit.

    Args:
        meshes: (n, 468, 3), y up, z to the viewer, in any unit.
    """
    mean = meshes[len(meshes) // 2]
    for _ in range(4):
        aligned = np.stack([_laid_over(mesh, mean[_STILL], mesh[_STILL]) for mesh in meshes])
        mean = aligned.mean(0)
    rigid = MAP_68[RIGID, :N_POINTS].astype(np.float64) @ mean
    size, turn, shift = similarity(rigid, MODEL_CM)
    return mean @ turn.T * size + shift, aligned @ turn.T * size + shift, size


def _laid_over(
    mesh: NDArray[np.float64], onto: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    size, turn, shift = similarity(points, onto)
    return mesh @ turn.T * size + shift


def similarity(
    points: NDArray[np.float64], onto: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Size, (3, 3) rotation and (3,) shift that bring (K, 3) points nearest to others: points @ R.T * size + shift."""
    middle, target = points.mean(0), onto.mean(0)
    a, b = points - middle, onto - target
    u, values, v = np.linalg.svd(b.T @ a)
    flip = np.array([1, 1, np.sign(np.linalg.det(u @ v))])
    turn = (u * flip) @ v
    size = float((values * flip).sum() / (a**2).sum())
    return size, turn, target - size * turn @ middle
