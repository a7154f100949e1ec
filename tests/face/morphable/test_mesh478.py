from __future__ import annotations

import numpy as np
from tests.face.morphable.drawn import OVAL, mean

from lipwright.face.morphable.mesh478 import EYES, INNER_LIPS, N_POINTS, smooth_modes, surface, tracked_triangles
from lipwright.face.raster import vertex_normals


def borders(triangles: np.ndarray) -> list[frozenset[int]]:
    """Edges that only one triangle has; each other must be run through once in each direction."""
    directed = {(int(t[k]), int(t[(k + 1) % 3])) for t in triangles for k in range(3)}
    assert len(directed) == 3 * len(triangles)  # consistently wound, no edge twice
    return [frozenset(e) for e in directed if (e[1], e[0]) not in directed]


def ring(vertices: list[int]) -> set[frozenset[int]]:
    return {frozenset((vertices[k - 1], vertices[k])) for k in range(len(vertices))}


def test_the_tracked_mesh_has_holes_for_eyes_and_mouth_only() -> None:
    triangles = tracked_triangles()
    assert triangles.shape == (852, 3)
    np.testing.assert_array_equal(np.unique(triangles), np.arange(N_POINTS))
    found = set(borders(triangles))
    assert found == ring(OVAL) | ring(INNER_LIPS) | ring(EYES[0]) | ring(EYES[1])


def test_the_surface_is_closed_but_for_its_outline() -> None:
    for level in (0, 1, 2):
        mesh = surface(level)
        assert len(borders(mesh.triangles)) == len(OVAL) * 2**level
    assert len(surface(2).triangles) == 16 * len(surface(0).triangles)
    # 852 of the face, 14 for each eye, 2 · 20 for each of three rings, 20 at the end of the bag
    assert len(surface(0).triangles) == 852 + 28 + 120 + 20


def test_finer_surfaces_pass_through_the_tracked_points() -> None:
    mesh = surface(2)
    np.testing.assert_allclose(mesh.matrix.sum(1), 1, atol=1e-6)
    points = mean()
    np.testing.assert_array_equal(mesh(points)[:N_POINTS], points)
    np.testing.assert_allclose(mesh(points + 2.5), mesh(points) + 2.5, atol=1e-4)


def test_the_skin_faces_the_viewer_and_the_bag_lies_behind_the_lips() -> None:
    mesh = surface(1)
    shape = mesh(mean()) + mesh.offset
    normals = vertex_normals(shape, mesh.triangles)
    middle = np.linalg.norm(shape[:N_POINTS, :2], axis=1) < 4
    assert (normals[:N_POINTS][middle, 2] > 0).all()
    deep = mesh.offset[:, 2] < -1.5
    assert deep.any()
    assert (shape[deep, 2] < shape[INNER_LIPS, 2].mean() - 1).all()
    assert not mesh.inside[:N_POINTS].any()


def test_smooth_modes_are_orthogonal_and_the_first_is_constant() -> None:
    modes = smooth_modes(12)
    np.testing.assert_allclose(modes[0], 1, atol=1e-4)
    np.testing.assert_allclose(modes @ modes.T / N_POINTS, np.eye(12), atol=1e-4)
