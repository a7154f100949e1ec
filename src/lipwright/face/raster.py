"""A z-buffered triangle rasteriser in two halves: coverage first, shading later.

`rasterise` says which triangle each pixel sees and where in it (perspective-correct barycentrics); any
shader then interpolates whatever it needs. Deferred like this, one pass serves textured pictures, vertex
colours, depth and shadow maps, and the analytic gradients of a morphable-face fit.

Coordinates: pixel x right, y down, pixel centres at integers; depth is the distance along the viewing
axis, positive in front of the camera, smaller is nearer. Everything is float32 and single-threaded, hence
bitwise repeatable. Source of the edge-function form: Pineda 1988, "A parallel algorithm for polygon
rasterization"; perspective correction: Heckbert & Moreton 1991.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError

I32 = NDArray[np.int32]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera on the z axis that looks along -z; model axes are x right, y up, z to the viewer."""

    focal_px: float
    """Focal length in pixels; with `distance` infinite use an `orthographic` projection instead."""
    centre_px: tuple[float, float]
    """(x, y) of the principal point."""
    distance: float
    """z of the camera in model units."""
    height: float = 0.0
    """y of the camera in model units."""


@dataclass(frozen=True)
class Fragments:
    """What every pixel sees."""

    triangle: I32
    """(H, W) index of the nearest triangle, -1 for none."""
    barycentric: F32
    """(H, W, 3) perspective-correct weights of its corners, summing to 1; 0 where there is none."""
    depth: F32
    """(H, W) depth, +inf where there is none."""


def project(points: F32, camera: Camera) -> F32:
    """Model points (..., 3) to (..., 3): pixel x, pixel y, depth. Points behind the camera get depth <= 0."""
    if points.shape[-1] != 3:
        raise ShapeError("points", ("...", 3), points.shape)
    depth = camera.distance - points[..., 2]
    scale = camera.focal_px / np.where(depth > 1e-6, depth, 1e-6)
    x = camera.centre_px[0] + points[..., 0] * scale
    y = camera.centre_px[1] - (points[..., 1] - camera.height) * scale
    return np.stack([x, y, depth], axis=-1).astype(np.float32)


def orthographic(points: F32, scale: float, centre_px: tuple[float, float]) -> F32:
    """Scaled parallel projection (..., 3) -> pixel x, pixel y, depth = -z."""
    x = centre_px[0] + points[..., 0] * scale
    y = centre_px[1] - points[..., 1] * scale
    return np.stack([x, y, -points[..., 2]], axis=-1).astype(np.float32)


def supersampled(points_px: F32, factor: int) -> F32:
    """Projected points on a grid `factor` times finer, so that `resolve` brings them back exactly."""
    fine = points_px.copy()
    fine[..., :2] = points_px[..., :2] * factor + (factor - 1) / 2
    return fine


def rasterise(
    points_px: F32,
    triangles: I32,
    size: tuple[int, int],
    *,
    cull_back: bool = False,
    perspective: bool = True,
) -> Fragments:
    """Nearest triangle and barycentrics of every pixel.

    Args:
        points_px: (V, 3) pixel x, pixel y, depth, from `project` or `orthographic`.
        triangles: (F, 3) int32 corner indices.
        size: (width, height).
        cull_back: drop triangles whose corners run clockwise on screen (seen from behind, when the mesh
            is counter-clockwise in y-up model space).
        perspective: interpolate along the surface; False interpolates along the screen (orthographic).
    Triangles with a corner at depth <= 0 are dropped, not clipped. At equal depth the first one wins.
    """
    if points_px.ndim != 2 or points_px.shape[1] != 3:
        raise ShapeError("points_px", ("V", 3), points_px.shape)
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        raise ShapeError("triangles", ("F", 3), triangles.shape)
    width, height = size
    triangle = np.full((height, width), -1, np.int32)
    barycentric = np.zeros((height, width, 3), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    _fill(
        np.ascontiguousarray(points_px, np.float32),
        np.ascontiguousarray(triangles, np.int32),
        cull_back,
        perspective,
        triangle,
        barycentric,
        depth,
    )
    return Fragments(triangle, barycentric, depth)


@numba.njit(cache=True)
def _fill(
    points: F32, triangles: I32, cull: bool, perspective: bool, ids: I32, bary: F32, zbuf: F32
) -> None:  # pragma: no cover - compiled
    height, width = ids.shape
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        za, zb, zc = points[a, 2], points[b, 2], points[c, 2]
        if perspective and (za <= 0 or zb <= 0 or zc <= 0):
            continue
        ax, ay, bx, by = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
        cx, cy = points[c, 0], points[c, 1]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0 or (cull and area > 0):
            continue
        x0 = max(0, int(np.ceil(min(ax, bx, cx))))
        x1 = min(width - 1, int(np.floor(max(ax, bx, cx))))
        y0 = max(0, int(np.ceil(min(ay, by, cy))))
        y1 = min(height - 1, int(np.floor(max(ay, by, cy))))
        inv = np.float32(1.0) / area
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                wa = ((bx - x) * (cy - y) - (by - y) * (cx - x)) * inv
                wb = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) * inv
                wc = np.float32(1.0) - wa - wb
                if wa < 0 or wb < 0 or wc < 0:
                    continue
                if perspective:
                    qa, qb, qc = wa / za, wb / zb, wc / zc
                    z = np.float32(1.0) / (qa + qb + qc)
                    wa, wb, wc = qa * z, qb * z, qc * z
                else:
                    z = wa * za + wb * zb + wc * zc
                if z < zbuf[y, x]:
                    zbuf[y, x] = z
                    ids[y, x] = t
                    bary[y, x, 0] = wa
                    bary[y, x, 1] = wb
                    bary[y, x, 2] = wc


def interpolate(fragments: Fragments, triangles: I32, attributes: F32, background: float = 0.0) -> F32:
    """Per-vertex attributes (V, C) to pixels (H, W, C); `background` where nothing is seen."""
    if attributes.ndim != 2:
        raise ShapeError("attributes", ("V", "C"), attributes.shape)
    out = np.full((*fragments.triangle.shape, attributes.shape[1]), background, np.float32)
    _interpolate(
        fragments.triangle,
        fragments.barycentric,
        np.ascontiguousarray(triangles, np.int32),
        np.ascontiguousarray(attributes, np.float32),
        out,
    )
    return out


@numba.njit(cache=True)
def _interpolate(ids: I32, bary: F32, triangles: I32, attributes: F32, out: F32) -> None:  # pragma: no cover - compiled
    for y in range(ids.shape[0]):
        for x in range(ids.shape[1]):
            t = ids[y, x]
            if t < 0:
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            for k in range(attributes.shape[1]):
                out[y, x, k] = (
                    bary[y, x, 0] * attributes[a, k]
                    + bary[y, x, 1] * attributes[b, k]
                    + bary[y, x, 2] * attributes[c, k]
                )


def resolve(image: F32, factor: int) -> F32:
    """Mean over factor x factor blocks: (H·factor, W·factor, C) to (H, W, C)."""
    height, width = image.shape[0] // factor, image.shape[1] // factor
    if height * factor != image.shape[0] or width * factor != image.shape[1]:
        raise ShapeError("image", (f"multiple of {factor}", f"multiple of {factor}", "C"), image.shape)
    if factor == 1:
        return image
    out: F32 = np.zeros((height, width, image.shape[2]), np.float32)
    for dy in range(factor):
        for dx in range(factor):
            out += image[dy::factor, dx::factor]
    return out / np.float32(factor * factor)


def vertex_normals(points: F32, triangles: I32) -> F32:
    """(V, 3) unit normals, area-weighted means of the triangles' own; zero for unused vertices."""
    out = np.zeros((len(points), 3), np.float32)
    _normals(np.ascontiguousarray(points, np.float32), np.ascontiguousarray(triangles, np.int32), out)
    return out


@numba.njit(cache=True)
def _normals(points: F32, triangles: I32, out: F32) -> None:  # pragma: no cover - compiled
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        n = (uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx)
        for v in (a, b, c):
            out[v, 0] += n[0]
            out[v, 1] += n[1]
            out[v, 2] += n[2]
    for v in range(out.shape[0]):
        length = np.sqrt(out[v, 0] ** 2 + out[v, 1] ** 2 + out[v, 2] ** 2)
        if length > 0:
            for k in range(3):
                out[v, k] /= length
