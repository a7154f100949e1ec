"""Ambient occlusion: how much of the sky each vertex sees, from depth maps of many directions."""

from __future__ import annotations

import numpy as np

from lipwright.core.contracts import F32
from lipwright.face.raster import I32, orthographic, rasterise


def directions(count: int) -> F32:
    """(count, 3) unit vectors spread over the sphere (Fibonacci lattice)."""
    i = np.arange(count) + 0.5
    z = 1 - 2 * i / count
    angle = np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1).astype(np.float32)


def light_axes(direction: F32) -> F32:
    """(3, 3) rotation whose third row is `direction`: turns it towards the viewer."""
    up = np.array([0, 1, 0], np.float32) if abs(direction[1]) < 0.9 else np.array([1, 0, 0], np.float32)
    right = np.cross(up, direction)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(direction, right), direction]).astype(np.float32)


def ambient_occlusion(
    points: F32, normals: F32, triangles: I32, count: int = 64, map_px: int = 320, bias_cm: float = 0.12
) -> F32:
    """(V,) cosine-weighted share of the sphere above each vertex that is free, in [0, 1]."""
    centre = (points.max(axis=0) + points.min(axis=0)) / 2
    radius = float(np.linalg.norm(points - centre, axis=1).max())
    scale = (map_px - 2) / (2 * radius)
    seen = np.zeros(len(points))
    total = np.zeros(len(points))
    for direction in directions(count):
        facing = np.clip(normals @ direction, 0, None)
        turned = (points + bias_cm * normals - centre) @ light_axes(direction).T
        flat = orthographic(turned, scale, (map_px / 2, map_px / 2))
        solid = orthographic((points - centre) @ light_axes(direction).T, scale, (map_px / 2, map_px / 2))
        depth = rasterise(solid, triangles, (map_px, map_px), perspective=False).depth
        x = np.clip(np.round(flat[:, 0]).astype(int), 0, map_px - 1)
        y = np.clip(np.round(flat[:, 1]).astype(int), 0, map_px - 1)
        free = flat[:, 2] <= depth[y, x] + bias_cm
        seen += facing * free
        total += facing
    return (seen / np.maximum(total, 1e-6)).astype(np.float32)
