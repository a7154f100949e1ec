"""The skin of a person: albedo by vertex, learnt from frames whose shape and pose are known.

Colours are read where vertices are seen (the rasteriser says), light and albedo are solved in turn, and how single
frames differ from the result becomes the texture's own components.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.face.morphable.brightness import colours_at, light_of
from lipwright.face.morphable.light import harmonics
from lipwright.face.morphable.model import Coefficients, FaceModel, Scene, scene
from lipwright.face.morphable.solve import trust
from lipwright.face.raster import rasterise

_COMPONENTS = 6
_ROUNDS = 4
_BEHIND_CM = 0.3
"""How far behind the nearest surface a vertex still counts as seen."""


def visible(model: FaceModel, seen: Scene, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(V,) vertices that face the camera and have nothing before them."""
    width, height = size
    depth = rasterise(seen.points_px, model.triangles, size, cull_back=True).depth
    x, y = (np.rint(seen.points_px[:, k]).astype(int) for k in range(2))
    within = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    nearest = depth[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    return within & (seen.normals[:, 2] > 0.2) & (seen.points_px[:, 2] < nearest + _BEHIND_CM)


def learn(
    model: FaceModel, c: Coefficients, pictures: Sequence[U8], size: tuple[int, int]
) -> tuple[FaceModel, F32, F32]:
    """The model with this person's texture, its (X,) coefficients, and the (T, 9, 3) light of the pictures.

    A model without texture components gets its mean albedo and components from the pictures; one that has them (BFM,
    ICT-FaceKit) keeps them and only the coefficients are fitted.
    """
    scenes = [scene(model, c, size, t) for t in range(len(pictures))]
    seen = np.stack([visible(model, s, size) for s in scenes]).astype(np.float32)
    colours = np.stack([colours_at(p, s.points_px[:, :2]) for p, s in zip(pictures, scenes, strict=True)])
    albedo, light, residual = separate(colours, np.stack([s.normals for s in scenes]), seen, model.mean_texture)
    if len(model.texture):
        return model, _coefficients(model, albedo, seen.sum(0)), light
    learnt = replace(model, mean_texture=albedo, texture=_components(residual))
    return learnt, np.zeros(len(learnt.texture), np.float32), light


def separate(colours: F32, normals: F32, seen: F32, start: F32) -> tuple[F32, F32, F32]:
    """Albedo (V, 3) and light (T, 9, 3) of (T, V, 3) colours, and the (T, V, 3) albedo that is left over.

    Args:
        colours: RGB in [0, 1].
        normals: (T, V, 3) in camera axes.
        seen: (T, V) weights, 0 where hidden.
        start: (V, 3) first albedo; vertices never seen keep it, scaled to the rest.
    Brightness of skin and of light cannot be told apart; the mean albedo over what is seen keeps `start`'s.
    """
    albedo, terms = start.astype(np.float32).copy(), harmonics(normals).astype(np.float32)
    ever = seen.sum(0) > 0
    level = start[ever].mean(0) if ever.any() else np.ones(3, np.float32)
    weights = seen.copy()
    light = np.zeros((len(colours), 9, 3), np.float32)
    for _ in range(_ROUNDS):
        for t in range(len(colours)):
            light[t] = light_of(colours[t], albedo, normals[t], seen[t])
        shading = np.maximum(terms @ light, 0.05)
        total = (weights[..., None] * shading**2).sum(0)
        solved = (weights[..., None] * shading * colours).sum(0) / np.maximum(total, 1e-6)
        solved *= level / np.maximum(solved[ever].mean(0), 1e-6)
        albedo = np.where(ever[:, None], solved, start).astype(np.float32)
        errors = np.abs(colours - albedo * shading).mean(-1)
        weights = seen * trust(errors / 0.06)
    residual = np.where(seen[..., None] > 0, colours / shading - albedo, 0).clip(-0.5, 0.5)
    return albedo.clip(0.01, 1.5), light, residual.astype(np.float32)


def _components(residual: F32) -> F32:
    """(X, V, 3) principal components of what is left over, per standard deviation."""
    n = len(residual)
    flat = (residual - residual.mean(0)).reshape(n, -1)
    _, spread, ways = np.linalg.svd(flat, full_matrices=False)
    count = min(_COMPONENTS, n - 1)
    scaled = ways[:count] * (spread[:count] / np.sqrt(max(n - 1, 1)))[:, None]
    return scaled.reshape(count, *residual.shape[1:]).astype(np.float32)


def _coefficients(model: FaceModel, albedo: F32, times_seen: F32, noise: float = 0.1) -> F32:
    """(X,) of a model's own texture that come nearest to an albedo where it was seen, with the prior."""
    where = times_seen > 0
    basis = model.texture[:, where].reshape(len(model.texture), -1).astype(np.float64)
    wanted = (albedo - model.mean_texture)[where].ravel()
    share = min(1.0, 3000 / max(int(where.sum()), 1)) / noise**2  # neighbouring vertices repeat each other
    normal = share * basis @ basis.T + np.eye(len(basis))
    return np.linalg.solve(normal, share * basis @ wanted).astype(np.float32)
