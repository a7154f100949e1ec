from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.face.raster import (
    Camera,
    interpolate,
    orthographic,
    project,
    rasterise,
    resolve,
    supersampled,
    vertex_normals,
)

TRIANGLE = np.array([[0, 1, 2]], np.int32)


def points(*rows: tuple[float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_a_right_triangle_covers_the_pixels_whose_centres_it_holds() -> None:
    seen = rasterise(points((0, 0, 1), (4, 0, 1), (0, 4, 1)), TRIANGLE, (6, 6))
    x, y = np.meshgrid(np.arange(6), np.arange(6))
    assert np.array_equal(seen.triangle >= 0, x + y <= 4)


def test_barycentrics_are_hand_computed_values() -> None:
    seen = rasterise(points((0, 0, 1), (4, 0, 1), (0, 4, 1)), TRIANGLE, (6, 6))
    np.testing.assert_allclose(seen.barycentric[1, 2], [0.25, 0.5, 0.25], atol=1e-6)
    assert not seen.barycentric[5, 5].any()
    assert np.isinf(seen.depth[5, 5])


def test_nearer_triangles_win_in_any_order() -> None:
    near, far = [(0, 0, 1), (8, 0, 1), (0, 8, 1)], [(0, 0, 2), (8, 0, 2), (0, 8, 2)]
    both = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
    assert rasterise(points(*near, *far), both, (4, 4)).triangle.max() == 0
    assert rasterise(points(*far, *near), both, (4, 4)).triangle.min() == 1


def test_interpenetrating_triangles_split_where_their_depths_meet() -> None:
    level = [(0, 0, 2.05), (20, 0, 2.05), (0, 20, 2.05)]
    tilted = [(0, 0, 1), (20, 0, 3), (0, 20, 1)]  # depth 1 + x / 10
    seen = rasterise(points(*level, *tilted), np.array([[0, 1, 2], [3, 4, 5]], np.int32), (16, 2), perspective=False)
    np.testing.assert_array_equal(seen.triangle[0], [1] * 11 + [0] * 5)


def test_perspective_interpolation_equals_the_ray_plane_intersection() -> None:
    camera = Camera(100.0, (31.5, 31.5), 10.0)
    corners = points((-2, -2, 3), (2, -2, -4), (0, 2, 0))
    seen = rasterise(project(corners, camera), TRIANGLE, (64, 64))
    got = interpolate(seen, TRIANGLE, corners)
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    eye = np.array([0, 0, 10.0])
    for y, x in ((30, 30), (40, 25), (28, 36)):
        assert seen.triangle[y, x] == 0
        ray = np.array([(x - 31.5) / 100, -(y - 31.5) / 100, -1])
        hit = eye + ray * (normal @ (corners[0] - eye)) / (normal @ ray)
        np.testing.assert_allclose(got[y, x], hit, atol=2e-4)
        np.testing.assert_allclose(seen.depth[y, x], 10 - hit[2], atol=2e-4)


def test_depth_decides_what_is_dropped() -> None:
    behind = rasterise(points((0, 0, -1), (4, 0, 1), (0, 4, 1)), TRIANGLE, (4, 4))
    assert (behind.triangle == -1).all()


def test_culling_keeps_faces_that_are_counter_clockwise_in_model_space() -> None:
    corners = points((-1, -1, 0), (1, -1, 0), (0, 1, 0))  # counter-clockwise seen from +z, y up
    flat = orthographic(corners, 8.0, (10, 10))
    front = rasterise(flat, TRIANGLE, (20, 20), cull_back=True, perspective=False)
    back = rasterise(flat, TRIANGLE[:, ::-1], (20, 20), cull_back=True, perspective=False)
    assert (front.triangle >= 0).any()
    assert (back.triangle == -1).all()


def test_supersampling_estimates_coverage_and_keeps_the_place() -> None:
    square = points((1, 1, 1), (5, 1, 1), (5, 5, 1), (1, 5, 1))
    two = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    seen = rasterise(supersampled(square, 8), two, (56, 56))
    cover = resolve((seen.triangle >= 0).astype(np.float32)[..., None], 8)[..., 0]
    assert cover[3, 3] == 1
    assert cover[3, 1] == pytest.approx(0.5, abs=0.07)  # an edge through the middle of the pixel
    assert cover[1, 1] == pytest.approx(0.25, abs=0.07)
    assert cover.sum() == pytest.approx(16, rel=0.05)


def test_the_camera_centre_projects_to_the_principal_point() -> None:
    camera = Camera(50.0, (7.0, 9.0), 20.0, height=3.0)
    np.testing.assert_allclose(project(points((0, 3, 0)), camera)[0], [7, 9, 20])
    np.testing.assert_allclose(project(points((2, 5, 10)), camera)[0], [17, -1, 10])


def test_normals_of_a_cube_corner_and_an_unused_vertex() -> None:
    corners = points((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (5, 5, 5))
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2]], np.int32)
    normals = vertex_normals(corners, faces)
    np.testing.assert_allclose(normals[0], -np.ones(3) / np.sqrt(3), atol=1e-6)
    assert not normals[4].any()


def test_it_repeats_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    cloud = (rng.random((300, 3)) * [64, 64, 5] + [0, 0, 1]).astype(np.float32)
    faces = rng.integers(0, 300, (400, 3)).astype(np.int32)
    a, b = rasterise(cloud, faces, (64, 64)), rasterise(cloud, faces, (64, 64))
    assert np.array_equal(a.triangle, b.triangle)
    assert np.array_equal(a.barycentric, b.barycentric)
    seen = a.triangle >= 0
    np.testing.assert_allclose(a.barycentric[seen].sum(axis=1), 1, atol=1e-5)
    assert a.barycentric.min() >= -1e-6


@pytest.mark.parametrize(
    ("cloud", "faces"),
    [(np.zeros((3, 2), np.float32), TRIANGLE), (np.zeros((3, 3), np.float32), np.zeros((1, 4), np.int32))],
)
def test_wrong_shapes_are_named(cloud: np.ndarray, faces: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="expected shape"):
        rasterise(cloud, faces, (4, 4))


def test_resolve_wants_whole_blocks() -> None:
    with pytest.raises(ShapeError, match="multiple of 2"):
        resolve(np.zeros((3, 4, 1), np.float32), 2)
