"""Facial maps and the hull: what is drawn, and that nothing of it tells the template's own mouth."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from lipwright.core.errors import CheckpointError, ShapeError, SubjectError
from lipwright.core.ibug import MOUTH, MOUTH_JAW
from lipwright.face.align import apply, invert
from lipwright.render.translation.crop import sample_crop
from lipwright.render.translation.facial_map import (
    draw_lines,
    fill_hull,
    line_width,
    network_input,
    template_conditions,
    wanted_landmarks,
)
from lipwright.render.translation.geometry import TranslationGeometry


def test_lines_are_two_pixels_wide_and_in_place() -> None:
    points = np.full((68, 2), -50.0, np.float32)
    points[27:31] = np.stack([np.full(4, 20.0), np.linspace(5, 50, 4)], -1)
    drawn = draw_lines(points, 64)
    column = drawn[30].astype(float)
    assert (column * np.arange(64)).sum() / column.sum() == pytest.approx(20, abs=0.51)
    assert 1.5 < column.sum() / 255 < 3.5
    assert [line_width(s) for s in (256, 512, 720, 1024)] == [2, 2, 3, 4]


def test_lines_move_with_fractions_of_a_pixel() -> None:
    points = np.random.default_rng(0).uniform(10, 50, (68, 2)).astype(np.float32)
    assert np.any(draw_lines(points, 64) != draw_lines(points + 0.25, 64))


def test_lines_do_not_read_the_template_points_beside_the_jaw() -> None:
    points = np.random.default_rng(0).uniform(10, 50, (68, 2)).astype(np.float32)
    moved = points.copy()
    moved[[3, 13]] += 7
    assert np.array_equal(draw_lines(points, 64), draw_lines(moved, 64))


def test_wanted_landmarks_keep_only_the_upper_face() -> None:
    rng = np.random.default_rng(1)
    template, wanted = rng.normal(size=(68, 2)), rng.normal(size=(29, 2))
    points = wanted_landmarks(template, wanted)
    assert np.array_equal(points[MOUTH_JAW], wanted)
    keep = [0, 1, 2, *range(14, 48)]
    assert np.array_equal(points[keep], template[keep])
    assert np.allclose(points[3], (template[2] + wanted[20]) / 2)


def test_edges_of_a_drawn_square_are_found_outside_the_hull_only() -> None:
    crop = np.full((64, 64, 3), 128, np.uint8)
    crop[4:20, 4:20] = 255
    crop[44:56, 28:36] = 0  # inside the hull
    hull = np.array([[14, 34], [50, 34], [50, 62], [14, 62]], np.float32)
    conditions = template_conditions(crop, hull)
    assert conditions.edges[4:20, 2:6].max() == 255
    assert conditions.edges[30:].max() == 0
    assert conditions.blanked[50, 32].tolist() == conditions.blanked[36, 20].tolist()
    assert np.array_equal(conditions.blanked[:30], crop[:30])


def test_hull_pixels_never_reach_the_conditions() -> None:
    rng = np.random.default_rng(2)
    crop = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    hull = np.array([[14, 30], [50, 30], [45, 60], [19, 60]], np.float32)
    other = crop.copy()
    inside = fill_hull(hull, 64) > 0
    other[inside] = rng.integers(0, 256, (int(inside.sum()), 3))
    a, b = template_conditions(crop, hull), template_conditions(other, hull)
    assert np.array_equal(a.edges, b.edges)
    assert np.array_equal(a.hull, b.hull)
    assert np.array_equal(a.blanked, b.blanked)


@pytest.mark.parametrize("mode", ["sewn", "full-face"])
def test_hull_holds_every_mouth_and_jaw_and_stays_in_the_crop(person: Any, mode: str) -> None:
    geometry = TranslationGeometry.fit(person.landmarks, person.pose, mode, 96)
    points = apply(geometry.crop_maps(person.landmarks), person.landmarks)
    for own, hull in zip(points, geometry.hulls(person.pose), strict=True):
        distances = [cv2.pointPolygonTest(hull[:, None], (float(x), float(y)), True) for x, y in own[MOUTH_JAW]]
        assert min(distances) > 0
        assert hull.min() > 0
        assert hull.max() < 95
    width, height = geometry.mouth_box()
    assert (width % 8, height % 8) == (0, 0)
    assert width >= np.ptp(points[:, MOUTH, 0], axis=1).max()


def test_crop_maps_and_hulls_do_not_move_with_mouth_jaw_or_low_cheeks(person: Any) -> None:
    geometry = TranslationGeometry.fit(person.landmarks, person.pose, "sewn", 96)
    other = person.landmarks.copy()
    other[:, [*MOUTH, *range(3, 14)]] += 9
    assert np.array_equal(geometry.crop_maps(person.landmarks), geometry.crop_maps(other))


def test_hull_follows_pose_and_stops_at_what_was_seen(person: Any) -> None:
    nodding = person.landmarks.copy()
    nodding[:, MOUTH_JAW, 1] += 60 * person.pose[:, :1]  # a nod brings mouth and jaw down
    geometry = TranslationGeometry.fit(nodding, person.pose, "sewn", 96)
    far = geometry.pose_mean + 10 * geometry.pose_reach
    at_reach = geometry.pose_mean + geometry.pose_reach
    a, b = geometry.hulls(np.stack([far, at_reach]))
    np.testing.assert_allclose(a, b, atol=1e-3)
    still = geometry.hulls(geometry.pose_mean[None])[0]
    assert b[:, 1].mean() - still[:, 1].mean() > 1.5


def test_geometry_refuses_too_little_and_survives_saving(person: Any) -> None:
    with pytest.raises(SubjectError, match="at least 8 frames"):
        TranslationGeometry.fit(person.landmarks[:5], person.pose[:5], "sewn", 96)
    with pytest.raises(ShapeError):
        TranslationGeometry.fit(person.landmarks[:, :29], person.pose, "sewn", 96)
    geometry = TranslationGeometry.fit(person.landmarks, person.pose, "sewn", 96)
    again = TranslationGeometry.from_state(geometry.state())
    assert again.size == 96
    pairs = zip(again.hulls(person.pose), geometry.hulls(person.pose), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)
    state = geometry.state()
    del state["geometry.slope_per_rad"]
    with pytest.raises(CheckpointError, match="slope"):
        TranslationGeometry.from_state(state)


def test_crop_meets_points_at_any_reduction() -> None:
    picture = np.zeros((400, 400, 3), np.uint8)
    cv2.circle(picture, (240, 180), 12, (255, 255, 255), -1, cv2.LINE_AA)
    for scale in (1.0, 0.5, 0.24):
        affine = np.array([[scale, 0, 3 - 100 * scale], [0, scale, 5 - 80 * scale]], np.float32)
        crop = sample_crop(picture, affine, 170)[..., 0].astype(float)
        y, x = (np.arange(170)[:, None] * crop).sum() / crop.sum(), (np.arange(170) * crop).sum() / crop.sum()
        expected = apply(affine, np.array([[240.0, 180.0]], np.float32))[0]
        assert (x, y) == pytest.approx(tuple(expected), abs=0.06)
        assert apply(invert(affine), expected[None])[0] == pytest.approx((240, 180), abs=1e-3)


def test_network_input_has_the_ranges_it_says(person: Any) -> None:
    geometry = TranslationGeometry.fit(person.landmarks, person.pose, "sewn", 96)
    affine = geometry.crop_maps(person.landmarks[:1])
    conditions = template_conditions(sample_crop(person.frames[0], affine[0], 96), geometry.hulls(person.pose)[0])
    x = network_input(apply(affine, person.landmarks[:1])[0], conditions, True)
    assert x.shape == (6, 96, 96)
    assert (x[:3].min(), x[:3].max()) == (0, 1)
    assert x[3:].min() >= -1
    assert x[3:].max() <= 1
    assert network_input(person.landmarks[0], conditions, False).shape == (3, 96, 96)
