from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests.face.morphable import drawn
from tests.render.neural_face.conftest import Filmed

from lipwright.core.errors import CheckpointError, ConfigError, SubjectError
from lipwright.core.ibug import RIGID
from lipwright.face.align import apply, invert
from lipwright.face.morphable.model import landmarks_px
from lipwright.render.neural_face.config import AUDIODVP, PRESETS, NeuralFaceConfig
from lipwright.render.neural_face.data import FaceData
from lipwright.render.neural_face.drawing import covered, draw, heads, plane_map
from lipwright.render.neural_face.geometry import FaceGeometry
from lipwright.render.neural_face.inputs import labels, mask_of, network_input, region_of
from lipwright.render.translation.crop import sample_crop


def test_heads_are_found_by_rigid_points_alone(filmed: Filmed, data: FaceData) -> None:
    """Pose and place come out as they were put in, whatever the mouth and jaw of the track say."""
    track, c = filmed.track, filmed.fit.coefficients
    found = heads(data.geometry, track.landmarks_px, track.pose_rad, drawn.SIZE)
    pose, shift = np.stack([h.pose_rad for h in found]), np.stack([h.shift_cm for h in found])
    assert np.abs(pose - c.pose_rad).max() < 0.03
    assert np.abs(shift - c.shift_cm)[:, :2].max() < 0.3
    other = track.landmarks_px.copy()
    moving = np.setdiff1d(np.arange(68), RIGID)
    other[:, moving] += 9
    for a, b in zip(found, heads(data.geometry, other, track.pose_rad, drawn.SIZE), strict=True):
        np.testing.assert_array_equal(a.pose_rad, b.pose_rad)
        np.testing.assert_array_equal(a.shift_cm, b.shift_cm)
        np.testing.assert_array_equal(a.crop_from_frame, b.crop_from_frame)


def test_the_square_goes_back_to_the_frame_exactly(filmed: Filmed, data: FaceData) -> None:
    for scale in (1, 20):  # 192 px and 3840 px
        points = filmed.track.landmarks_px * scale
        maps = data.geometry.crop_maps(points)
        there = apply(maps, points)
        assert np.abs(apply(invert(maps), there) - points).max() < 1e-4 * scale
        if scale == 1:
            first = there
    np.testing.assert_allclose(there, first, atol=0.05)  # the same crop of a larger picture


def test_drawings_lie_on_the_picture(filmed: Filmed, data: FaceData) -> None:
    """In the light that all drawings have, the drawn lower face is the frame's, pixel for pixel, inside the square."""
    c = filmed.fit.coefficients
    still = np.broadcast_to(data.geometry.light, c.light.shape)
    frames = drawn.pictures(filmed.fit.model, replace(c, light=still))
    for i, head in enumerate(heads(data.geometry, filmed.track.landmarks_px, filmed.track.pose_rad, drawn.SIZE)[::9]):
        real = sample_crop(frames[9 * i], head.crop_from_frame, 64).astype(float)
        made = data.drawn[9 * i].astype(float)
        face = cv2.erode((made.sum(2) > 0).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        assert 0.05 < face.mean() < 0.6
        apart = np.abs(real - made).mean(2)[face].mean()
        assert apart < 6
        assert np.abs(real - real[face].mean(0)).mean(2)[face].mean() > 2 * apart, "one colour would not do"


def test_expression_moves_the_drawing_and_never_the_region(filmed: Filmed, data: FaceData) -> None:
    geometry, track = data.geometry, filmed.track
    head = heads(geometry, track.landmarks_px[:1], track.pose_rad[:1], drawn.SIZE)[0]
    wide, shut = (draw(geometry, head, e) for e in (geometry.opened, geometry.closed))
    assert np.abs(wide.rgb8.astype(int) - shut.rgb8).max() > 30
    region = region_of(covered(geometry, head))
    for made in (wide, shut):
        face = made.rgb8.sum(2) > 0
        # Its edge is evened out; all but a rim of the face is inside.
        assert (face & (region == 0)).sum() < 0.06 * face.sum()


def test_a_fading_drawing_is_the_sharp_one_inside_and_black_at_its_rim(filmed: Filmed, data: FaceData) -> None:
    geometry, track = data.geometry, filmed.track
    head = heads(geometry, track.landmarks_px[:1], track.pose_rad[:1], drawn.SIZE)[0]
    sharp, soft = (draw(geometry, head, geometry.opened, fade) for fade in (0.0, 0.05))
    np.testing.assert_array_equal(soft.inside, sharp.inside)
    face = sharp.rgb8.max(2) > 0
    goes_on = np.array([[column[y:].any() for y in range(64)] for column in face.T]).T
    depth = cv2.distanceTransform(goes_on.astype(np.uint8), cv2.DIST_L2, 5)
    inner, rim = face & (depth > 0.05 * 64 + 0.5), face & (depth < 1.5)
    assert inner.any()
    np.testing.assert_array_equal(soft.rgb8[inner], sharp.rgb8[inner])
    assert soft.rgb8[rim].mean() < 0.35 * sharp.rgb8[rim].mean()
    assert (soft.rgb8[~face] == 0).all()
    top = face & ~np.roll(face, 1, 0)
    assert (top & inner).sum() > 10, "the cut along the nose is as it was"


def test_the_mask_is_soft_and_ends_inside_the_region() -> None:
    found = np.zeros((64, 64), bool)
    found[20:50, 10:54] = True
    region = region_of(found)
    mask = mask_of(region)
    assert region[51, 32] == 255, "it reaches further down"
    assert region[18, 32] == 0
    assert mask[region == 0].max() == 0
    assert mask[35, 32] == 1
    assert np.abs(np.diff(mask, axis=0)).max() < 0.75
    assert mask_of(np.full((64, 64), 255, np.uint8))[[0, -1]].max() == 0, "nothing is cut off at the border"
    square = np.zeros((256, 256), np.uint8)
    square[60:200, 60:200] = 255
    assert np.flatnonzero(mask_of(square)[128])[[0, -1]].tolist() == [69, 190], "nine pixels of rim are never shown"


def test_labels_say_where_on_the_head_a_pixel_lies(filmed: Filmed, data: FaceData) -> None:
    """Two points a centimetre apart on the head are 1 cm apart in the labels, in any pose."""
    geometry, track = data.geometry, filmed.track
    for i in (0, 17):
        head = heads(geometry, track.landmarks_px[i : i + 1], track.pose_rad[i : i + 1], drawn.SIZE)[0]
        plane = plane_map(geometry, head)
        seen = landmarks_px(filmed.fit.model, filmed.fit.coefficients.frame(i), drawn.SIZE)[0]
        eyes = apply(plane, apply(head.crop_from_frame, seen[[36, 45]]))
        model = filmed.fit.model
        real = model.landmark68(model.shape(filmed.fit.coefficients.geometry, filmed.fit.coefficients.expression[i]))
        np.testing.assert_allclose(eyes[1, 0] - eyes[0, 0], real[45, 0] - real[36, 0], rtol=0.25)
    shown = labels(np.zeros((64, 64), np.uint8), plane)
    assert shown.shape == (3, 64, 64)
    assert shown[1, 30, 60] > shown[1, 30, 4], "across grows to the right"
    assert shown[2, 4, 30] > shown[2, 60, 30], "up grows upwards"


def test_inputs_in_order_and_blind_inside_the_region(data: FaceData, config: NeuralFaceConfig) -> None:
    region = np.zeros((64, 64), np.uint8)
    region[20:40, 20:40] = 255
    pictures = [np.full((64, 64, 3), 10 * k, np.uint8) for k in range(7)]
    rng = np.random.default_rng(0)
    around = rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)
    plane = data.planes[0]
    seen = network_input(config, pictures, region, plane, around, region)
    assert seen.shape == (config.input_channels, 64, 64) == (28, 64, 64)
    np.testing.assert_allclose(seen[:21:3, 0, 0], np.arange(7) * 20 / 255 - 1, atol=1e-6)
    assert seen[21, 30, 30] == 1
    assert seen[27].sum() == 26 * 26, "the region and three pixels around it"
    around[20:40, 20:40] = 0
    np.testing.assert_array_equal(seen, network_input(config, pictures, region, plane, around, region))
    plain = replace(config, labels=False, surround=False)
    assert network_input(plain, pictures, region, plane, around, region).shape == (21, 64, 64)


def test_geometry_is_kept_and_what_is_missing_is_named(filmed: Filmed, data: FaceData) -> None:
    again = FaceGeometry.from_state(data.geometry.state())
    for name, value in vars(data.geometry).items():
        np.testing.assert_array_equal(getattr(again, name), value)
    with pytest.raises(CheckpointError, match=r"lack geometry\.still"):
        FaceGeometry.from_state({})
    with pytest.raises(SubjectError, match="at least 8 frames"):
        FaceGeometry.of(filmed.fit, filmed.track.landmarks_px, np.arange(4), 64, 1.25)


def test_configurations() -> None:
    assert AUDIODVP.input_channels == 21
    assert AUDIODVP.condition_channels + 3 == 24
    for config in PRESETS.values():
        assert config.input_channels == 28
    for wrong, said in (
        ({"window": 4}, "odd number"),
        ({"size": 300}, "cannot be halved"),
        ({"norm": "layer"}, "available: batch, group"),
        ({"room": 0.5}, "cuts the lower face off"),
        ({"n_downs": 4}, "at least 5"),
        ({"fade": 0.5}, "leaves nothing"),
        ({"ngf": 0}, "at least 1"),
    ):
        with pytest.raises(ConfigError, match=said):
            replace(PRESETS["draft"], **wrong)  # type: ignore[arg-type]
