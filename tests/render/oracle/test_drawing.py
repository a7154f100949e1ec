"""Drawings hold every keypoint and nothing of a picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.render.oracle.conftest import tiny

from lipwright.core.ibug import INNER_LIPS
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.drawing import head_drawing, mouth_areas, mouth_drawing
from lipwright.render.translation.crops import Crops


def test_every_one_of_the_68_points_and_the_outline_are_in_the_head_drawing(data: OracleData) -> None:
    points, outline = data.landmarks[0], data.outlines[0]
    drawn = head_drawing(points, outline, 64)
    assert drawn.shape == (3, 64, 64)
    assert drawn.min() == 0
    assert drawn.max() == 1
    for k in range(68):
        moved = points.copy()
        moved[k] += 3
        assert not np.array_equal(head_drawing(moved, outline, 64), drawn), f"point {k} is not drawn"
    assert not np.array_equal(head_drawing(points, outline - 2, 64)[1], drawn[1])


def test_the_mouth_drawing_shows_how_far_the_mouth_is_open(data: OracleData) -> None:
    near = data.mouth_landmarks(data.landmarks)
    opening = np.ptp(near[:, INNER_LIPS, 1], axis=1)
    areas = np.array([mouth_drawing(p, data.mouth_size)[2].sum() for p in near])
    assert np.corrcoef(opening, areas)[0, 1] > 0.97
    lips, inside = mouth_areas(near[int(opening.argmax())], data.mouth_size)
    assert lips.sum() > inside.sum() > 0


def test_a_soft_drawing_has_lines_as_bright_and_no_edges(data: OracleData) -> None:
    points, outline = data.landmarks[0] * 4, data.outlines[0] * 4
    sharp, soft = (head_drawing(points, outline, 256, s) for s in (0.0, 0.012))
    assert soft.shape == sharp.shape
    for plane in range(3):
        steps = [float(np.abs(np.diff(d[plane], axis=1)).max()) for d in (sharp, soft)]
        assert steps[1] < 0.5 * steps[0], f"plane {plane}"
        assert soft[plane][sharp[plane] == 1].mean() > 0.7
    assert soft.max() <= 1
    assert soft.min() >= 0


def test_no_pixel_of_a_frame_reaches_a_network(data: OracleData) -> None:
    """Other pictures at the same keypoints: the same drawings, bit for bit, of head and mouth."""
    noise = np.random.default_rng(0).integers(0, 255, (len(data.heads), 64, 64, 3)).astype(np.uint8)
    other = replace(data, heads=Crops.of(noise, 64))
    before, after = (d.plain(d.validation, tiny()) for d in (data, other))
    np.testing.assert_array_equal(before.drawing.numpy(), after.drawing.numpy())
    np.testing.assert_array_equal(before.mouth.drawing.numpy(), after.mouth.drawing.numpy())
    assert not np.array_equal(before.target.numpy(), after.target.numpy())
