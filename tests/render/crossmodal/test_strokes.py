"""What the renderer sees of a head: nothing that a mouth, a chin or the matte around it can change."""

from __future__ import annotations

import numpy as np
import pytest
from tests.render.conftest import face_shape

from lipwright.core.contracts import F32
from lipwright.core.ibug import MOUTH
from lipwright.face.contour import N_RAYS, outline_px
from lipwright.render.crossmodal.strokes import DRAWN, strokes

SIZE = 256


def head(roll: float = 0.0) -> F32:
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    return (face_shape(3.0) @ turn * 2 + 128).astype(np.float32)


def outline(points: F32, radius: float = 95.0) -> F32:
    return outline_px(np.full((1, N_RAYS), radius, np.float32), points[None])[0]


@pytest.mark.parametrize("roll", [-0.2, 0.0, 0.15])
def test_mouth_and_chin_change_nothing(roll: float) -> None:
    points = head(roll)
    rng = np.random.default_rng(1)
    other = points.copy()
    hidden = [*MOUTH, *range(3, 14)]
    other[hidden] += rng.normal(0, 20, (len(hidden), 2)).astype(np.float32)
    assert not set(hidden) & set(DRAWN)
    np.testing.assert_array_equal(strokes(points, outline(points), SIZE), strokes(other, outline(points), SIZE))


@pytest.mark.parametrize("roll", [-0.2, 0.0, 0.15])
def test_the_matte_below_the_ear_line_changes_nothing(roll: float) -> None:
    points = head(roll)
    whole = outline(points)
    direction = points[16] - points[0]
    below = (whole - points[0]) @ np.array([direction[1], -direction[0]]) <= 0
    assert roll == 0 or below.sum() > 1
    chin = points[0] + np.linspace(0.1, 0.9, 9)[:, None] * direction + (0, 120)
    for moved in (whole.copy(), np.concatenate([whole, chin.astype(np.float32)])):
        moved[: len(whole)][below] += 30 * np.array([-direction[1], direction[0]]) / np.linalg.norm(direction)
        np.testing.assert_array_equal(strokes(points, whole, SIZE), strokes(points, moved, SIZE))


def test_channels() -> None:
    points = head()
    picture = strokes(points, outline(points), SIZE)
    assert picture.shape == (3, SIZE, SIZE)
    assert picture.dtype == np.float32
    assert picture.min() == 0
    assert picture.max() == 1
    ears = round(float(points[0, 1]))
    assert not picture[1:, ears + 2 :].any()  # nothing is told below the ear line
    assert (picture[2, : ears - 2] == 1).all()
    x, y = points[0]  # the ear is the end of a stroke
    assert picture[0, round(float(y)), round(float(x))] > 0.5
    middle = points[[0, 16]].mean(0)
    top = picture[1, :, round(float(middle[0]))].argmax()
    assert top == pytest.approx(middle[1] - 95, abs=1.5)


@pytest.mark.parametrize("unknown", ["none", "unmeasured"])
def test_without_an_outline_nothing_is_told_of_it(unknown: str) -> None:
    points = head(0.1)
    picture = strokes(points, None if unknown == "none" else outline(points, 0.0), SIZE)
    assert picture[0].any()
    assert not picture[1:].any()


def test_strokes_follow_what_is_drawn() -> None:
    points = head()
    picture = strokes(points, None, SIZE)
    for i in DRAWN:
        moved = points.copy()
        moved[i] += 6
        assert not np.array_equal(strokes(moved, None, SIZE), picture), i
