from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.core.ibug import MOUTH, RIGID
from lipwright.face import pose
from lipwright.face.landmarks68 import MAP_68, to_68
from lipwright.face.noise import noise_px
from lipwright.face.smooth import fill_gaps, runs, smooth
from lipwright.face.track import TrackBuilder, cuts


def mesh(x: float = 250, y: float = 250, size: float = 100) -> F32:
    points = np.random.default_rng(0).uniform(-size, size, (478, 3)).astype(np.float32)
    return points + np.array([x, y, 0], np.float32)


def test_the_68_points_are_fixed_blends_of_the_mesh() -> None:
    np.testing.assert_allclose(MAP_68.sum(1), 1, atol=1e-6)
    dense = np.stack([mesh(), mesh(300)])
    np.testing.assert_allclose(to_68(dense), np.einsum("kv,tvd->tkd", MAP_68, dense[..., :2]), atol=1e-3)


def test_pose_angles_round_trip() -> None:
    given = np.random.default_rng(1).uniform(-0.6, 0.6, (50, 3)).astype(np.float32)
    np.testing.assert_allclose(pose.angles(pose.rotation(given)), given, atol=1e-5)


@pytest.mark.parametrize("given", [(0.0, 0.0, 0.0), (0.2, -0.4, 0.1), (-0.15, 0.5, -0.2)])
def test_pose_of_a_projected_model_is_recovered(given: tuple[float, float, float]) -> None:
    turned = pose.MODEL_CM @ pose.rotation(np.array(given, np.float32)).T
    focal, depth = 1.6 * 512, 60.0
    image = np.stack([turned[:, 0], -turned[:, 1]], -1) * (focal / (depth - turned[:, 2:3])) + 255.5
    landmarks = np.zeros((1, 68, 2), np.float32)
    landmarks[0, RIGID] = image
    np.testing.assert_allclose(pose.head_pose(landmarks, (512, 512))[0], given, atol=0.003)


def test_pose_ignores_the_mouth() -> None:
    landmarks = to_68(np.stack([mesh()]))
    moved = landmarks.copy()
    moved[:, MOUTH] += 20
    assert np.array_equal(pose.head_pose(landmarks, (512, 512)), pose.head_pose(moved, (512, 512)))


def test_noise_of_white_noise_is_its_own_level() -> None:
    points = np.random.default_rng(2).normal(0, 0.7, (4000, 10, 2))
    assert noise_px(points.astype(np.float32)) == pytest.approx(0.7 * np.sqrt(2), rel=0.05)
    line = np.linspace(0, 50, 4000)[:, None, None] + np.zeros((1, 10, 2))
    assert noise_px(line.astype(np.float32)) < 1e-3, "smooth motion is not noise"


def test_smoothing_adds_no_lag_and_keeps_parabolas() -> None:
    t = np.arange(60, dtype=np.float32)
    np.testing.assert_allclose(smooth((t**2)[:, None], 11, 2)[:, 0], t**2, rtol=1e-4, atol=1e-2)
    bump = np.exp(-(((t - 30) / 3) ** 2)).astype(np.float32)
    assert int(smooth(bump[:, None], 5).argmax()) == 30


def test_gaps_are_interpolated_and_ends_held() -> None:
    present = np.array([False, True, False, False, True, False])
    values = np.array([0, 1, 0, 0, 4, 0], np.float32)[:, None]
    np.testing.assert_allclose(fill_gaps(values, present)[:, 0], [1, 1, 2, 3, 4, 4])
    assert runs(present) == [(1, 2), (4, 5)]


def test_a_track_follows_one_face_through_gaps_and_cuts() -> None:
    builder = TrackBuilder((800, 600))
    for t in range(40):
        if t == 10:
            builder.add([])
        else:
            left = 0 if t < 25 else 300
            # a second, larger face enters: the one already followed is kept
            other = [(mesh(600, 300, 150), 0.9)] if t > 15 else []
            builder.add([*other, (mesh(200 + left * 0 + t * 0.5, 250), 0.8)])
    track, noise = builder.finish()
    assert builder.most_faces == 2
    assert not track.present[10]
    assert track.present.sum() == 39
    centres = track.dense_px[..., 0].mean(1)
    assert np.abs(np.diff(centres)).max() < 3, "never jumps to the other face"
    assert noise < 0.2


def test_cuts_are_found() -> None:
    dense = np.stack([mesh(200)] * 5 + [mesh(350)] * 5)
    assert np.flatnonzero(cuts(dense)).tolist() == [5]


def test_no_face_at_all_is_a_track_of_nothing() -> None:
    builder = TrackBuilder((64, 64))
    for _ in range(5):
        builder.add([])
    track, noise = builder.finish()
    assert not track.present.any()
    assert noise == 0
