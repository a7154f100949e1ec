"""Nobody's face on the tracker's mesh: spread flat by its own links, bent over an ellipsoid; with exact truth."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.face.landmarks68 import to_68
from lipwright.face.mesh import LIPS, LOWER_FACE
from lipwright.face.morphable.mesh478 import N_POINTS, smooth_modes, tracked_triangles
from lipwright.face.morphable.model import Coefficients, FaceModel, camera_of, posed, scene
from lipwright.face.morphable.person import bends, on_surface
from lipwright.face.morphable.picture import draw
from lipwright.face.raster import project

OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
        150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]  # fmt: skip
"""The mesh's border, clockwise from the forehead."""
SIZE = (192, 192)


@cache
def mean() -> F32:
    """(468, 3) cm, 14 wide, 18 high, 9 deep."""
    links = np.zeros((N_POINTS, N_POINTS))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        links[tracked_triangles()[:, a], tracked_triangles()[:, b]] = 1
    links = np.maximum(links, links.T)
    angle = 2 * np.pi * np.arange(len(OVAL)) / len(OVAL)
    border = np.stack([np.sin(angle), np.cos(angle)], 1)
    system, right = np.diag(links.sum(1)) - links, np.zeros((N_POINTS, 2))
    system[OVAL], right[OVAL] = np.eye(N_POINTS)[OVAL], border
    flat = np.linalg.solve(system, right)
    spread = (
        flat
        / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
        * np.linalg.norm(flat, axis=1, keepdims=True) ** 0.5
    )  # the links crowd the middle
    height = np.sqrt(np.clip(1 - 0.9 * (spread**2).sum(1), 0.02, 1))
    return np.stack([7 * spread[:, 0], 9 * spread[:, 1], 9 * height], 1).astype(np.float32)


@cache
def expressions() -> F32:
    """(5, 468, 3) cm: smooth moves of lips and lower face."""
    rng = np.random.default_rng(3)
    moving = np.zeros(N_POINTS)
    moving[LOWER_FACE], moving[LIPS] = 0.5, 1.0
    mixes = rng.normal(size=(5, 3, 12)) @ smooth_modes(12) / 3
    return (0.25 * mixes * moving).transpose(0, 2, 1).astype(np.float32)


@cache
def face(level: int = 1) -> FaceModel:
    """A model with a skin of smooth blotches and two texture components."""
    model = on_surface(mean(), bends(), expressions(), level)
    rng = np.random.default_rng(4)
    waves = np.sin(model.mean @ rng.normal(size=(3, 6)) * 0.9 + rng.uniform(0, 6, 6)) @ rng.normal(size=(6, 9)) * 0.04
    skin = np.clip(model.mean_texture + waves[:, :3], 0.05, 0.95).astype(np.float32)
    texture = 0.5 * waves[:, 3:].reshape(len(waves), 2, 3).transpose(1, 0, 2)
    return replace(model, mean_texture=skin, texture=texture.astype(np.float32))


def truth(n: int, seed: int = 0) -> Coefficients:
    """A moving head with moving lips in slowly turning light."""
    rng = np.random.default_rng(seed)
    t = np.arange(n)[:, None] / 8

    def wave(count: int, size: float) -> F32:
        return (size * np.sin(t * rng.uniform(0.5, 1.5, count) + rng.uniform(0, 6, count))).astype(np.float32)

    light = np.zeros((n, 9, 3), np.float32)
    light[:, 0] = 0.95
    light[:, 1:4] = (0.25 * np.sin(t + np.array([0.3, 2.0, 4.0])))[..., None]
    light[:, 0, 2] *= 0.9
    geometry = (0.4 * rng.normal(size=36)).astype(np.float32)
    geometry[[0, 12, 24]] = 0  # the same as a shift
    shift = np.array([0.0, 0.0, -70.0], np.float32) + wave(3, 1.0)
    texture = rng.normal(size=2).astype(np.float32)
    return Coefficients(geometry, texture, wave(5, 1.2), wave(3, 0.15), shift, light)


def tracked(model: FaceModel, c: Coefficients, noise_px: float = 0.0, seed: int = 1) -> FaceTrack:
    """What a tracker would say of it: mesh with depth in pixels, 68 points, pose."""
    assert model.dense is not None
    shape = model.dense(model.shape(c.geometry, c.expression))
    px = project(posed(shape, c.pose_rad, c.shift_cm), camera_of(SIZE))
    scale = camera_of(SIZE).focal_px / px[..., 2].mean(1)
    depth = (px[..., 2] - px[..., 2].mean(1, keepdims=True)) * scale[:, None]
    dense = np.zeros((len(c), 478, 3), np.float32)
    dense[:, :N_POINTS, :2] = px[..., :2] + np.random.default_rng(seed).normal(size=(*px.shape[:2], 2)) * noise_px
    dense[:, :N_POINTS, 2] = depth
    return FaceTrack(to_68(dense), dense, np.ones(len(c), np.float32), c.pose_rad.copy(), SIZE)


def pictures(model: FaceModel, c: Coefficients) -> list[U8]:
    """The frames: the face before grey."""
    found = []
    for t in range(len(c)):
        picture, mask = draw(model, scene(model, c, SIZE, t), SIZE)
        picture[~mask] = 110
        found.append(picture)
    return found
