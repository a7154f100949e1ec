"""Equations 1 and 2 with recovered depth: identities, both cameras, jaw, and the presenter's exact truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lipwright
from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError, ShapeError
from lipwright.core.ibug import JAW, MOUTH, RIGID
from lipwright.face import mashing
from lipwright.face.align import apply, similarity
from lipwright.face.mashing import Camera, canonical, chin_gap, mash, near, poses, transfer
from lipwright.presenter.scene import load_truth

ASSETS = Path(lipwright.__file__).parent / "assets"
NEAR = Camera(900.0, (320.0, 240.0))
CAMERAS = [Camera(), Camera(None, (320.0, 240.0)), NEAR]


def shape() -> mashing.F64:
    """A face of pixels in head axes with relief, random but with the chin below the lips below the nose."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-60, 60, (68, 3))
    points[27], points[57], points[8] = (0, 20, 40), (0, -30, 35), (0, -60, 20)
    return points


def placed(angles: list[tuple[float, float, float]], camera: Camera) -> mashing.F64:
    """(T, 4, 4) poses by hand: turned, then shifted to the picture's middle, 800 px away."""
    result = np.tile(np.eye(4), (len(angles), 1, 1))
    result[:, :3, :3] = np.diag([1.0, -1.0, -1.0]) @ mashing.rotation(np.array(angles, np.float32))
    result[:, :3, 3] = (12.0, -7.0, 800.0 if camera.focal_px else 0.0)
    return result


def seen(points: mashing.F64, pose: mashing.F64, camera: Camera) -> mashing.F64:
    return camera.project(points @ np.swapaxes(pose[..., :3, :3], -1, -2) + pose[..., None, :3, 3])


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_frame_mashed_with_itself_is_itself(camera: Camera) -> None:
    pose = placed([(0.2, -0.4, 0.1)], camera)
    points = np.random.default_rng(1).uniform(0, 600, (1, 68, 2)).astype(np.float32)
    np.testing.assert_array_equal(mash(points, pose, points, pose, camera, shape()), points)


@pytest.mark.parametrize("camera", CAMERAS)
def test_projections_of_the_canonical_face_lift_to_it_and_land_on_it(camera: Camera) -> None:
    pose = placed([(0.1, 0.3, -0.1), (-0.2, -0.1, 0.2)], camera)
    k_i, k_j = seen(shape(), pose[0], camera), seen(shape(), pose[1], camera)
    lifted = camera.lift(k_i, (shape() @ pose[0, :3, :3].T + pose[0, :3, 3])[:, 2])
    back = (lifted - pose[0, :3, 3]) @ np.linalg.inv(pose[0, :3, :3]).T
    np.testing.assert_allclose(back, shape(), atol=1e-9)
    np.testing.assert_allclose(transfer(k_i, pose[0], pose[1], camera, shape()), k_j, atol=1e-9)
    np.testing.assert_allclose(mash(k_i, pose[0], k_j, pose[1], camera, shape()), k_j, atol=1e-4)


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_pair_that_differs_in_roll_alone_is_turned_in_the_picture(camera: Camera) -> None:
    pose = placed([(0.15, 0.25, 0.0), (0.15, 0.25, 0.3)], camera)
    pose[:, :2, 3] = 0  # so that the turn is about the principal point
    points = np.random.default_rng(2).uniform(200, 400, (68, 2))
    turn = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])  # y points down
    wanted = (points - camera.centre_px) @ turn.T + camera.centre_px
    np.testing.assert_allclose(transfer(points, pose[0], pose[1], camera, shape()), wanted, atol=1e-9)


def test_far_away_the_perspective_camera_is_the_orthographic_one() -> None:
    points = seen(shape(), placed([(0.1, 0.2, 0.0)], Camera())[0], Camera())
    pair = placed([(0.1, 0.2, 0.0), (-0.1, -0.3, 0.1)], Camera())
    wanted = transfer(points, pair[0], pair[1], Camera(), shape())
    errors = []
    for distance in (1e3, 1e4, 1e6):
        far = pair.copy()
        far[:, 2, 3] = distance
        got = transfer(points, far[0], far[1], Camera(focal_px=distance), shape())
        errors.append(np.abs(got - wanted).max())
    assert errors[0] > errors[1] > errors[2] < 1e-2


@pytest.mark.parametrize("camera", CAMERAS)
def test_face_and_poses_are_recovered_from_a_turning_head(camera: Camera) -> None:
    angles = [(0.3 * np.sin(k), 0.4 * np.cos(1.3 * k), 0.1 * np.sin(2 * k)) for k in range(40)]
    pose = placed(angles, camera)
    landmarks = seen(shape(), pose, camera).astype(np.float32)
    found = canonical(landmarks, np.array(angles, np.float32), camera)
    again = poses(landmarks, np.array(angles, np.float32), found, camera)
    moved = transfer(landmarks[:-1], again[:-1], again[1:], camera, found)
    assert np.abs(moved - landmarks[1:]).max() < 0.5, "a rigid head mashed with itself is where it is seen"


def test_only_mouth_and_jaw_change_and_the_ends_of_the_jaw_do_not() -> None:
    pose = placed([(0.0, 0.2, 0.0), (0.1, -0.1, 0.0)], NEAR)
    k_i, k_j = (seen(shape(), p, NEAR).astype(np.float32) for p in pose)
    k_i[MOUTH] += 5
    k_i[JAW] += 7
    mashed = mash(k_i, pose[0], k_j, pose[1], NEAR, shape())
    fixed = [i for i in range(68) if i not in MOUTH and i not in JAW[1:-1]]
    np.testing.assert_array_equal(mashed[fixed], k_j[fixed])
    moved = transfer(k_i, pose[0], pose[1], NEAR, shape())
    np.testing.assert_allclose(mashed[MOUTH], moved[MOUTH], atol=1e-4)
    share = (mashed - k_j)[JAW] / (moved - k_j)[JAW]
    assert mashing.CHIN_SHARE - 1e-4 < share[4, 0] <= 1.0001
    np.testing.assert_allclose(share / share[4], np.array([0, 1, 2, 3, 4, 3, 2, 1, 0])[:, None] / 4 * [1, 1], atol=1e-3)


def test_pairs_are_rejected_by_yaw_and_pitch_but_not_by_roll() -> None:
    degrees = np.deg2rad([[0, 24.9, 0], [0, 25.1, 0], [-25.1, 0, 0], [0, 0, 80]]).astype(np.float32)
    np.testing.assert_array_equal(near(degrees, np.zeros(3, np.float32)), [True, False, False, True])


def test_bad_inputs_are_refused() -> None:
    with pytest.raises(ConfigError, match="orthographic"):
        Camera(-1.0)
    with pytest.raises(ShapeError, match="landmarks_px"):
        canonical(np.zeros((3, 29, 2), np.float32), np.zeros((3, 3), np.float32), Camera())


@pytest.fixture(scope="module")
def presenter() -> tuple[F32, F32, F32]:
    """Truth of the presenter: (T, 68, 2), (T, 3), and of its last sentences over its first head motion."""
    truth, cross = load_truth(ASSETS / "presenter_truth.npz"), load_truth(ASSETS / "presenter_cross_truth.npz")
    return truth.landmarks_px, truth.pose_rad, cross.landmarks_px


def test_mashed_mouths_of_the_presenter_are_near_the_exact_ones(presenter: tuple[F32, F32, F32]) -> None:
    landmarks, pose_rad, exact = presenter
    i, j = np.arange(len(landmarks) - len(exact), len(landmarks)), np.arange(len(exact))
    flat = apply(similarity(landmarks[i][:, RIGID], landmarks[j][:, RIGID]), landmarks[i])
    naive = np.linalg.norm(flat - exact, axis=2)[:, MOUTH].mean()
    for camera in (Camera(), Camera.of_frame((512, 512))):
        face = canonical(landmarks, pose_rad, camera)
        pose = poses(landmarks, pose_rad, face, camera)
        error = np.linalg.norm(mash(landmarks[i], pose[i], landmarks[j], pose[j], camera, face) - exact, axis=2)
        assert error[:, MOUTH].mean() < 0.9, "0.7 % of the eye distance"
        assert error[:, MOUTH].mean() < naive / 4, "depth is what makes the difference"


def test_the_jaw_never_contradicts_the_mouth(presenter: tuple[F32, F32, F32]) -> None:
    landmarks, pose_rad, _ = presenter
    face = canonical(landmarks, pose_rad, Camera())
    pose = poses(landmarks, pose_rad, face, Camera())
    i, j = np.random.default_rng(0).integers(0, len(landmarks), (2, 4000))
    mashed = mash(landmarks[i], pose[i], landmarks[j], pose[j], Camera(), face)
    gap = chin_gap(mashed.astype(np.float64))
    assert gap.min() > 0
    seen_gaps = chin_gap(transfer(landmarks[i], pose[i], pose[j], Camera(), face)), chin_gap(landmarks[j])
    assert (gap > np.minimum(*seen_gaps) - 0.5).all()
    assert (gap < np.maximum(*seen_gaps) + 0.5).all()
