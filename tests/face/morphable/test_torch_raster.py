from __future__ import annotations

import numpy as np
import torch

from lipwright.face.morphable import torch_raster
from lipwright.face.morphable.light import shade
from lipwright.face.raster import Camera, interpolate, project, rasterise, vertex_normals

TRIANGLE = np.array([[0, 1, 2]], np.int32)


def test_a_plane_is_interpolated_along_the_surface() -> None:
    """x + 2 y + 3 of a tilted triangle, carried by its corners, is what each pixel's ray meets."""
    camera = Camera(100.0, (31.5, 31.5), 10.0)
    corners = np.array([[-2, -2, 3], [2, -2, -4], [0, 2, 0]], np.float32)
    values = (corners[:, :1] + 2 * corners[:, 1:2] + 3).astype(np.float32)
    px = torch.from_numpy(project(corners, camera))
    found, mask = torch_raster.draw(px, TRIANGLE, torch.from_numpy(values), (64, 64))
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    for y, x in ((30, 30), (40, 25), (28, 36)):
        ray = np.array([(x - 31.5) / 100, -(y - 31.5) / 100, -1.0])
        hit = np.array([0, 0, 10]) + ray * (normal @ (corners[0] - [0, 0, 10])) / (normal @ ray)
        assert mask[y, x]
        assert abs(float(found[y, x, 0]) - (hit[0] + 2 * hit[1] + 3)) < 1e-3
    assert not found[~mask].any()


def test_it_agrees_with_the_fast_rasteriser_where_triangles_overlap() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.uniform(0, 48, (30, 2)), rng.uniform(1, 3, (30, 1))], 1).astype(np.float32)
    triangles, colours = np.arange(30, dtype=np.int32).reshape(10, 3), rng.random((30, 3)).astype(np.float32)
    found, mask = torch_raster.draw(
        torch.from_numpy(points), triangles, torch.from_numpy(colours), (48, 40), cull_back=False
    )
    seen = rasterise(points, triangles, (48, 40))
    np.testing.assert_array_equal(mask.numpy(), seen.triangle >= 0)
    np.testing.assert_allclose(found.numpy(), interpolate(seen, triangles, colours), atol=2e-4)
    assert len(np.unique(seen.triangle)) > 5


def test_gradients_are_those_of_small_changes() -> None:
    points = torch.tensor(
        [[2.3, 1.1, 1.0], [1.2, 17.4, 2.0], [18.6, 4.2, 1.5]], dtype=torch.float64, requires_grad=True
    )
    colours = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]], dtype=torch.float64, requires_grad=True)
    weights = torch.from_numpy(np.random.default_rng(1).normal(size=(20, 20, 2)))
    inside = torch.zeros(20, 20, 1, dtype=torch.float64)
    inside[5:9, 4:8] = 1  # away from the outline, which has no gradient

    def total(p: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        return (torch_raster.draw(p, TRIANGLE, c, (20, 20))[0] * weights * inside).sum()

    total(points, colours).backward()
    for tensor in (points, colours):
        assert tensor.grad is not None
        for index in np.ndindex(*tensor.shape):
            ends = []
            for sign in (1, -1):
                moved = tensor.detach().clone()
                moved[index] += sign * 1e-4
                ends.append(total(moved, colours) if tensor is points else total(points, moved))
            slope = float((ends[0] - ends[1]).detach()) / 2e-4
            assert abs(slope - float(tensor.grad[index])) < 1e-5 * max(1, abs(slope)), index


def sphere(rings: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Closed unit sphere, (V, 3) and triangles counter-clockwise from outside: one vertex a pole, no seam."""
    n = 2 * rings
    t, p = np.meshgrid(np.linspace(0, np.pi, rings)[1:-1], 2 * np.pi * np.arange(n) / n, indexing="ij")
    around = np.stack([np.sin(t) * np.cos(p), np.cos(t), np.sin(t) * np.sin(p)], -1).reshape(-1, 3)
    points = np.concatenate([around, [[0, 1, 0], [0, -1, 0]]])
    top, bottom, rows = len(around), len(around) + 1, []
    for j in range(n):
        k = (j + 1) % n
        rows += [[top, k, j], [bottom, (rings - 3) * n + j, (rings - 3) * n + k]]
        for i in range(rings - 3):
            a, b, c, d = i * n + j, i * n + k, (i + 1) * n + j, (i + 1) * n + k
            rows += [[a, b, c], [b, d, c]]
    return points.astype(np.float32), np.array(rows, np.int32)


def test_normals_of_a_sphere_point_outwards_and_light_shades_it_as_computed() -> None:
    points, triangles = sphere()
    found = torch_raster.normals(torch.from_numpy(points), triangles).numpy()
    assert (found * points).sum(1).min() > 0.999
    np.testing.assert_allclose(found, vertex_normals(points, triangles), atol=1e-6)
    light = np.random.default_rng(2).normal(size=(9, 3)).astype(np.float32)
    shaded = torch_raster.shade(torch.ones(len(points), 3), torch.from_numpy(found), torch.from_numpy(light))
    np.testing.assert_allclose(shaded.numpy(), shade(np.ones_like(points), found, light), atol=1e-5)


def test_light_can_be_found_by_descent() -> None:
    points, triangles = sphere(12)
    unit = torch.from_numpy(points)
    px = torch.from_numpy(project(points, Camera(40.0, (11.5, 11.5), 4.0)))
    torch.manual_seed(0)
    wanted = torch.zeros(9, 3)
    wanted[0], wanted[1:4] = 0.8, torch.tensor([[0.2], [-0.3], [0.1]])
    albedo = torch.full((len(points), 3), 0.6)
    target, mask = torch_raster.draw(px, triangles, torch_raster.shade(albedo, unit, wanted), (24, 24))
    light = torch.zeros(9, 3, requires_grad=True)
    descent = torch.optim.LBFGS([light], max_iter=60, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        descent.zero_grad()
        drawn, _ = torch_raster.draw(px, triangles, torch_raster.shade(albedo, unit, light), (24, 24))
        apart = ((drawn - target)[mask] ** 2).mean()
        apart.backward()
        return apart

    descent.step(loss)
    assert loss().item() < 1e-6
    normals = torch.nn.functional.normalize(torch.tensor([[0.1, 0.2, 1.0], [0.5, -0.3, 0.8]]), dim=1)
    ones = torch.ones(2, 3)
    found, right = torch_raster.shade(ones, normals, light.detach()), torch_raster.shade(ones, normals, wanted)
    torch.testing.assert_close(found, right, atol=0.02, rtol=0)
