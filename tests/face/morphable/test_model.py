"""Five groups of coefficients, none of which moves what another stands for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.face.morphable.drawn import SIZE, face, truth

from lipwright.core.errors import ShapeError
from lipwright.face.morphable.light import N_BANDS, harmonics, shade
from lipwright.face.morphable.model import Landmarks, landmarks_px, neutral, scene
from lipwright.face.morphable.picture import draw


def test_geometry_and_expression_add_up_and_know_nothing_of_each_other() -> None:
    model, c = face(), truth(2)
    zero = np.zeros_like(c.geometry)
    moved = model.shape(c.geometry, c.expression) - model.shape(c.geometry, 0 * c.expression)
    np.testing.assert_allclose(moved, model.shape(zero, c.expression) - model.shape(zero, 0 * c.expression), atol=2e-5)


def test_each_group_changes_its_own_effect_only() -> None:
    """Shape (geometry, expression), albedo (texture), place (pose) and shading (light) are compared one by one."""
    model, c = face(), truth(1)

    def effects(given: object) -> dict[str, np.ndarray]:
        assert isinstance(given, type(c))
        shape = model.shape(given.geometry, given.expression[0])
        normals = np.array([[0, 0, 1], [0.6, 0, 0.8]], np.float32)
        return {
            "still": model.shape(given.geometry, 0 * given.expression[0]),
            "moves": shape - model.shape(given.geometry, 0 * given.expression[0]),
            "albedo": model.albedo(given.texture),
            "place": np.concatenate([given.pose_rad, given.shift_cm]),
            "shading": shade(np.ones((2, 3), np.float32), normals, given.light[0]),
        }

    before = effects(c)
    for group, changed in {
        "geometry": "still", "texture": "albedo", "expression": "moves", "pose_rad": "place", "light": "shading",
    }.items():  # fmt: skip
        after = effects(replace(c, **{group: getattr(c, group) + 0.3}))
        for name in before:
            same = np.allclose(before[name], after[name], atol=3e-5)
            assert same == (name != changed), (group, name)


def test_texture_and_light_leave_the_points_and_geometry_leaves_the_albedo() -> None:
    model, c = face(), truth(1)
    before = scene(model, c, SIZE)
    for other in (replace(c, texture=c.texture + 1), replace(c, light=c.light * 0.5)):
        after = scene(model, other, SIZE)
        np.testing.assert_array_equal(after.points_px, before.points_px)
        np.testing.assert_array_equal(after.normals, before.normals)
        assert np.abs(after.colours - before.colours).max() > 0.01
    dark = scene(model, replace(c, light=c.light * 0.5), SIZE).colours
    np.testing.assert_allclose(dark, before.colours / 2, rtol=1e-5)


def test_projection_is_that_of_a_pinhole() -> None:
    """At the origin of the head: centre + focal · (x, -y) / distance; focal is 1.6 · 192 = 307.2 px, centre 95.5."""
    model = face()
    c = neutral(model, distance_cm=100.0)
    c = replace(c, shift_cm=np.array([[10.0, 5.0, -100.0]], np.float32))
    middle = replace(model, mean=np.zeros_like(model.mean))
    np.testing.assert_allclose(landmarks_px(middle, c, SIZE)[0, 0], [95.5 + 30.72, 95.5 - 15.36], atol=1e-4)


def test_white_light_shows_the_albedo_and_the_face_fills_its_outline() -> None:
    """The border, 14 x 18 cm, lies at z = 9 √0.1 = 2.85: an ellipse of 64.0 x 82.3 px, 0.1124 of the picture."""
    model = face()
    c = neutral(model, distance_cm=70.0)
    shown = scene(model, c, SIZE)
    np.testing.assert_allclose(shown.colours, model.albedo(c.texture), atol=1e-5)
    picture, mask = draw(model, shown, SIZE)
    assert mask[96, 96]
    assert not mask[0, 0]
    assert not picture[~mask].any()
    assert abs(mask.mean() - np.pi / 4 * 14 * 18 * (307.2 / 67.15) ** 2 / 192**2) < 0.003


def test_harmonics_of_single_directions() -> None:
    """By hand: π/√(4π) = 0.8862; 2π/√3 · √3/√(4π) = 1.7725; 2π/√8 · 3√5/√(12π) · 2 / (2√3) = 1.4012."""
    found = harmonics(np.array([[0, 0, 1], [1, 0, 0]], np.float32))
    np.testing.assert_allclose(found[0], [0.8862, 0, 1.7725, 0, 0, 0, 1.4012, 0, 0], atol=1e-4)
    np.testing.assert_allclose(found[1], [0.8862, 0, 0, -1.7725, 0, 0, -0.7006, 0, 1.2135], atol=1e-4)
    assert harmonics(np.zeros((2, 4, 3), np.float32)).shape == (2, 4, N_BANDS)


def test_landmarks_are_mixes_of_vertices() -> None:
    values = np.arange(12, dtype=np.float32).reshape(4, 3)
    matrix = np.array([[0, 0.25, 0, 0.75], [0, 0, 1, 0]], np.float32)
    np.testing.assert_allclose(Landmarks.mixed(matrix)(values), matrix @ values)
    np.testing.assert_array_equal(Landmarks.at(np.array([3, 1]))(np.stack([values, values + 1]))[1], values[[3, 1]] + 1)


def test_arrays_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ShapeError, match="texture"):
        replace(face(), texture=np.zeros((2, 5, 3), np.float32))
