"""Short combed hair: strands grown from the scalp along a combing field."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from lipwright.core.contracts import F32
from lipwright.face.ict import VERTEX_RANGES, IctModel
from lipwright.face.raster import vertex_normals
from lipwright.presenter.hairline import hair_density
from lipwright.presenter.look import Look, linear
from lipwright.presenter.noise import value_noise
from lipwright.presenter.ribbons import Ribbons, ribbons

_SEGMENTS = 7


def grow_hair(model: IctModel, neutral: F32, look: Look, strands: int = 15000) -> Ribbons:
    """Strands of one identity; the same look gives the same hair."""
    rng = np.random.default_rng([look.seed, 31])
    triangles, _ = model.triangles(0, VERTEX_RANGES["head"][1])
    roots, normals = _roots(neutral, triangles, neutral[model.landmark68], look, strands, rng)
    lengths = _length(roots, neutral[model.landmark68]) * rng.uniform(0.75, 1.12, len(roots))
    scalp = neutral[: VERTEX_RANGES["head"][1]]
    paths = _grow(roots, normals, lengths.astype(np.float32), scalp, vertex_normals(scalp, triangles), rng)
    tone = 1 + 0.30 * value_noise(roots, 2.5, look.seed + 900) + 0.18 * rng.normal(size=len(roots))
    colour = linear(look.hair)[None] * np.clip(tone, 0.4, 1.9)[:, None]
    depth = np.linspace(0.30, 1.0, _SEGMENTS)[None] * rng.uniform(0.72, 1.0, (len(roots), 1))
    width = rng.uniform(0.05, 0.09, len(roots))
    return ribbons(paths, width.astype(np.float32), colour, depth.astype(np.float32), normals)


def _roots(
    neutral: F32, triangles: np.ndarray, landmarks: F32, look: Look, count: int, rng: np.random.Generator
) -> tuple[F32, F32]:
    """Points spread evenly over the haired skin, with their normals."""
    corners = neutral[triangles]
    centre = corners.mean(axis=1)
    face_normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(face_normal, axis=1)
    scalp = area * (hair_density(centre, landmarks, look.seed) > 0.02)
    chosen = rng.choice(len(triangles), count, p=scalp / scalp.sum())
    a, b = rng.random((2, count))
    flip = a + b > 1
    a, b = np.where(flip, 1 - a, a), np.where(flip, 1 - b, b)
    w = np.stack([1 - a - b, a, b], axis=1)
    points = np.einsum("nk,nkc->nc", w, corners[chosen]).astype(np.float32)
    keep = hair_density(points, landmarks, look.seed) > rng.random(count) * 0.9 + 0.05
    normals = (face_normal / (area[:, None] + 1e-9))[chosen]
    return points[keep], normals[keep].astype(np.float32)


def _length(roots: F32, landmarks: F32) -> F32:
    """Centimetres: long on top, clipped at the sides and the nape."""
    brow = float(landmarks[17:27, 1].max())
    top = np.clip((roots[:, 1] - brow - 3.0) / 4.2, 0, 1)
    return np.asarray(0.75 + 4.9 * top * top * (3 - 2 * top), np.float32)


def _comb(points: F32) -> F32:
    """(N, 3) where the comb would push hair: back over the top, away from the part, down at the sides."""
    x, y = points[:, 0], points[:, 1]
    parting = -3.0
    side = np.tanh((x - parting) / 1.3)
    top = np.clip((y - 8.0) / 4.0, 0, 1)
    out = np.empty_like(points)
    out[:, 0] = top * (0.95 * side + 0.1)
    out[:, 1] = -(1 - top) * 1.0
    out[:, 2] = -(0.75 * top + 0.55 * (1 - top))
    return out / np.linalg.norm(out, axis=1, keepdims=True)


def _grow(roots: F32, normals: F32, lengths: F32, scalp: F32, scalp_normals: F32, rng: np.random.Generator) -> F32:
    tree = cKDTree(scalp)
    front = np.clip((roots[:, 2] - 3.0) / 4.5, 0, 1)
    lift = (0.20 + 0.42 * front * np.clip(lengths / 3.5, 0, 1))[:, None] * rng.uniform(0.8, 1.2, (len(roots), 1))
    wild = rng.normal(size=roots.shape) * 0.09
    clump = np.stack([value_noise(roots, 1.3, 950 + k) for k in range(3)], axis=1) * 0.34
    height = (0.08 + 0.75 * np.clip(lengths / 4.5, 0, 1) * rng.random(len(roots)))[:, None]
    paths = np.empty((len(roots), _SEGMENTS, 3), np.float32)
    at, normal = roots.copy(), normals
    for k in range(_SEGMENTS):
        paths[:, k] = at
        s = k / (_SEGMENTS - 1)
        comb = _comb(at)
        comb = comb - (comb * normal).sum(axis=1, keepdims=True) * normal
        step = comb + lift * (1.0 - 1.7 * s) * normal + wild + clump
        step[:, 1] -= 0.22 * s
        step /= np.linalg.norm(step, axis=1, keepdims=True) + 1e-9
        at = (at + step * (lengths / (_SEGMENTS - 1))[:, None]).astype(np.float32)
        _, nearest = tree.query(at)
        normal = scalp_normals[nearest]
        above = ((at - scalp[nearest]) * normal).sum(axis=1, keepdims=True)
        at = at + np.maximum(0, height * min(1.0, 3 * s + 0.3) - above) * normal
    return paths
