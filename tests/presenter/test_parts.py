"""The pieces of the picture that need no model."""

from __future__ import annotations

import numpy as np
import pytest

from lipwright.face.raster import orthographic, rasterise, vertex_normals
from lipwright.presenter import shade
from lipwright.presenter.clothes import dress
from lipwright.presenter.hairline import hair_density
from lipwright.presenter.look import Look, linear, look_of
from lipwright.presenter.noise import fractal_noise, value_noise
from lipwright.presenter.occlusion import ambient_occlusion, directions, light_axes
from lipwright.presenter.ribbons import ribbons
from lipwright.presenter.skin import lip_mask
from lipwright.presenter.studio import studio


def test_noise_is_smooth_seeded_and_bounded() -> None:
    line = np.stack([np.linspace(0, 20, 4000), np.zeros(4000), np.zeros(4000)], axis=1).astype(np.float32)
    a = value_noise(line, 1.0, 1)
    assert np.array_equal(a, value_noise(line, 1.0, 1))
    assert not np.array_equal(a, value_noise(line, 1.0, 2))
    assert np.abs(a).max() <= 1
    assert a.std() > 0.2
    assert np.abs(np.diff(a)).max() < 0.03
    assert np.abs(fractal_noise(line, 1.0, 1)).max() <= 1


def test_noise_has_no_seam_at_zero() -> None:
    line = np.zeros((400, 3), np.float32)
    line[:, 1] = np.linspace(-1, 1, 400)
    assert np.abs(np.diff(value_noise(line, 3.0, 5))).max() < 0.05


def test_light_axes_turn_the_direction_to_the_viewer() -> None:
    for direction in directions(20):
        axes = light_axes(direction)
        np.testing.assert_allclose(axes @ direction, [0, 0, 1], atol=1e-5)
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-5)
        assert np.linalg.det(axes) == pytest.approx(1, abs=1e-5)


def _grid(n: int, half: float, height: float) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:n, 0:n] * (2 * half / (n - 1)) - half
    points = np.stack([x.ravel(), y.ravel(), np.full(n * n, height)], axis=1).astype(np.float32)
    i = np.arange(n * n).reshape(n, n)
    q = np.stack([i[:-1, :-1], i[:-1, 1:], i[1:, 1:], i[1:, :-1]], axis=-1).reshape(-1, 4)
    return points, np.concatenate([q[:, :3], q[:, [0, 2, 3]]]).astype(np.int32)


def test_occlusion_is_one_in_the_open_and_small_under_a_roof() -> None:
    floor, faces = _grid(21, 10, 0)
    roof, roof_faces = _grid(21, 10, 1.5)
    up = np.tile(np.array([0, 0, 1], np.float32), (len(floor), 1))
    alone = ambient_occlusion(floor, up, faces, 32, 160)
    assert alone.min() > 0.95
    both = ambient_occlusion(
        np.concatenate([floor, roof]),
        np.concatenate([up, up]),
        np.concatenate([faces, roof_faces + len(floor)]),
        64,
        160,
    )
    middle = 10 * 21 + 10
    assert both[middle] < 0.1
    assert both[0] > both[middle] + 0.2  # the corner sees out at two sides
    assert both[len(floor) + middle] > 0.95


def test_ribbons_are_as_wide_as_asked_and_taper() -> None:
    path = np.zeros((1, 5, 3), np.float32)
    path[0, :, 1] = np.linspace(0, 4, 5)
    one = np.ones(1, np.float32)
    r = ribbons(path, 0.2 * one, np.ones((1, 3), np.float32), np.ones((1, 5), np.float32), np.eye(3)[2:])
    width = np.linalg.norm(r.points[1::2] - r.points[::2], axis=1)
    np.testing.assert_allclose(width, 0.2 * np.linspace(1, 0.25, 5), atol=1e-6)
    np.testing.assert_allclose(r.tangents, np.tile([0, 1, 0], (10, 1)), atol=1e-6)
    assert r.triangles.shape == (8, 3)
    assert r.triangles.max() == 9


def test_clothes_are_a_closed_front_without_broken_normals() -> None:
    c = dress(Look())
    assert c.triangles.max() == len(c.points) - 1
    assert np.isfinite(c.points).all()
    np.testing.assert_allclose(np.linalg.norm(c.normals, axis=1), 1, atol=1e-3)
    assert c.colour.min() >= 0
    flat = orthographic(c.points, 8.0, (160, -60))
    below = rasterise(flat, c.triangles, (320, 130), perspective=False).triangle[105:120, 40:280]
    assert (below >= 0).mean() > 0.99  # nothing shows through below the collar


def test_studio_is_the_same_picture_at_every_size() -> None:
    small, large = studio(128, 3), studio(256, 3)
    assert small.shape == (128, 128, 3)
    np.testing.assert_allclose(small, large.reshape(128, 2, 128, 2, 3).mean(axis=(1, 3)), atol=2e-3)
    assert small.min() > 0
    assert small.max() < 0.5


def test_looks_are_seeded_and_colours_are_colours() -> None:
    assert look_of(0) == Look()
    assert look_of(4) == look_of(4)
    assert len({look_of(s).skin for s in range(1, 20)}) > 2
    np.testing.assert_allclose(linear((0.5, 1.0, 0.0)), [0.25, 1, 0])


def shaded_square(normal: tuple[float, float, float], kind: int, mouth_light: float = 1.0) -> np.ndarray:
    """Linear colour of a square of one material that faces `normal`, unshadowed."""
    points, faces = _grid(2, 6, 0)
    flat = orthographic(points, 2.0, (15.5, 15.5))
    seen = rasterise(flat, faces, (32, 32), perspective=False)
    n = np.tile(np.array(normal, np.float32), (4, 1))
    uv = np.tile(np.array([[2, 2], [5, 2], [5, 5]], np.float32), (2, 1, 1))
    albedo = np.full((8, 16, 4), 128, np.uint8)
    out = np.zeros((32, 32, 3), np.float32)
    shade.shade(
        seen.triangle, seen.barycentric, faces, np.full(2, kind, np.uint8), points, n,
        np.full((4, 3), 0.25, np.float32), np.ones(4, np.float32), uv, albedo,
        np.zeros((8, 16, 3), np.float32),
        np.eye(3, dtype=np.float32), np.full((8, 8), np.inf, np.float32), np.zeros((4, 3), np.float32),
        shade.LIGHTS, shade.SKY, shade.FLOOR, np.full(3, 0.1, np.float32), 1.0, mouth_light, out,
    )  # fmt: skip
    return out


@pytest.mark.parametrize("kind", range(7))
def test_every_material_gives_light_where_there_is_surface_only(kind: int) -> None:
    out = shaded_square((0, 0, 1), kind)
    assert np.isfinite(out).all()
    assert out[16, 16].min() > 0
    assert not out[0, 0].any()


def test_facing_the_key_light_is_brighter_than_facing_away() -> None:
    key = tuple(float(v) for v in shade.KEY_DIRECTION)
    away = (-key[0], -key[1], 0.2)
    for kind in (shade.SKIN, shade.CLOTH):
        assert shaded_square(key, kind)[16, 16].mean() > 2 * shaded_square(away, kind)[16, 16].mean()


def test_an_open_mouth_lets_light_in() -> None:
    for kind in (shade.TEETH, shade.MOUTH):
        shut, opened = (shaded_square((0, 0, 1), kind, m)[16, 16].mean() for m in (0.0, 1.0))
        assert opened > 1.5 * shut


def test_normals_of_a_grid_face_the_viewer() -> None:
    points, faces = _grid(5, 2, 0)
    np.testing.assert_allclose(vertex_normals(points, faces), np.tile([0, 0, 1], (25, 1)), atol=1e-6)


def face_points() -> np.ndarray:
    """Landmarks with brows at y = 6 and an elliptic mouth around (0, -3.5)."""
    points = np.zeros((68, 3), np.float32)
    points[:, 2] = 10
    points[17:27, 1] = 6
    points[17:27, 0] = np.linspace(-6, 6, 10)
    points[0] = [-7.3, 3.7, 3.6]
    angle = np.pi - np.arange(12) * np.pi / 6
    points[48:60, :2] = np.stack([2.5 * np.cos(angle), -3.5 + np.sin(angle)], axis=1)
    return points


def test_lips_are_red_inside_their_outline_only() -> None:
    inside, outside, behind = [0, -3.5, 10], [0, -2.2, 10], [0, -3.5, 1]
    mask = lip_mask(np.array([[inside, outside, behind]], np.float32), face_points())
    np.testing.assert_allclose(mask[0], [1, 0, 0], atol=0.02)


def test_hair_grows_on_the_skull_and_not_on_the_face() -> None:
    skull = np.array([[0, 14, 0], [0, 12, -4], [7, 7, -3], [0, 2, -9]], np.float32)
    face = np.array([[0, 6, 10], [0, 0, 13], [4, 0, 9], [0, -8, 10], [0, -12, 4], [9, 3, -1]], np.float32)
    assert hair_density(skull, face_points(), 0).min() > 0.9
    assert hair_density(face, face_points(), 0).max() == 0
