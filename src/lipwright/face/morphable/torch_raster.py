"""Drawing that gradients pass through: the rasteriser says which triangle a pixel sees, torch says where in it.

Gradients are those of the interior: of attributes, and of where inside its triangle a pixel lies. That a silhouette
moves over a pixel has no gradient; a landmark term moves silhouettes.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lipwright.face.morphable.light import bands
from lipwright.face.raster import I32, rasterise


def draw(
    points_px: Tensor, triangles: I32, attributes: Tensor, size: tuple[int, int], *, cull_back: bool = True
) -> tuple[Tensor, Tensor]:
    """Attributes interpolated over what each pixel sees, along the surface.

    Args:
        points_px: (V, 3) pixel x, pixel y, depth > 0 (face.raster.project).
        triangles: (F, 3) int32.
        attributes: (V, C).
        size: (width, height).
        cull_back: leave out triangles seen from behind.
    Returns:
        (H, W, C), 0 where nothing is seen, and the (H, W) mask.
    """
    seen = rasterise(points_px.detach().cpu().numpy(), triangles, size, cull_back=cull_back)
    mask = seen.triangle >= 0
    rows, columns = (torch.from_numpy(i).to(points_px.device) for i in np.nonzero(mask))
    corners = torch.from_numpy(triangles[seen.triangle[mask]].astype(np.int64)).to(points_px.device)
    shares = _shares(points_px[corners], columns.to(points_px), rows.to(points_px))
    colours = (shares[..., None] * attributes[corners]).sum(1)
    picture = colours.new_zeros((size[1], size[0], attributes.shape[1]))
    return picture.index_put((rows, columns), colours), torch.from_numpy(mask).to(points_px.device)


def _shares(corners: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(N, 3) perspective-correct weights of (N, 3, 3) triangle corners at N pixels."""
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = (corners[:, k].unbind(-1) for k in range(3))
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    a = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
    b = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
    over = torch.stack([a / az, b / bz, (1 - a - b) / cz], -1)
    return over / over.sum(-1, keepdim=True)


def normals(points: Tensor, triangles: I32) -> Tensor:
    """(V, 3) unit normals of (V, 3) points, area-weighted means of the triangles' own."""
    corners = torch.from_numpy(triangles.astype(np.int64)).to(points.device)
    a, b, c = (points[corners[:, k]] for k in range(3))
    faces = torch.linalg.cross(b - a, c - a)
    summed = torch.zeros_like(points)
    for k in range(3):
        summed = summed.index_add(0, corners[:, k], faces)
    return torch.nn.functional.normalize(summed, dim=1)


def shade(albedo: Tensor, unit_normals: Tensor, light: Tensor) -> Tensor:
    """(V, 3) lit colours of (V, 3) albedo under (9, 3) light (face.morphable.light)."""
    return albedo * (torch.stack(bands(*unit_normals.unbind(-1)), -1) @ light)
