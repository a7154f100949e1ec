from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from lipwright.presenter.motion import MotionConfig, head_motion, rotation


def test_rotation_is_rz_ry_rx() -> None:
    pose = np.radians([[10, -25, 7], [-20, 35, -12], [0, 0, 0]]).astype(np.float32)
    want = Rotation.from_euler("xyz", pose).as_matrix()
    np.testing.assert_allclose(rotation(pose), want, atol=1e-6)


def test_signs_are_those_of_the_specification() -> None:
    nose = np.array([0, 0, 1.0])
    assert (rotation(np.array([0, 0.3, 0], np.float32)) @ nose)[0] > 0  # yaw: to the picture's right
    assert (rotation(np.array([0.3, 0, 0], np.float32)) @ nose)[1] < 0  # pitch: down


@pytest.mark.parametrize(("yaw", "pitch"), [(9.0, 5.0), (35.0, 20.0), (0.0, 0.0)])
def test_the_range_asked_for_is_reached_and_kept(yaw: float, pitch: float) -> None:
    motion = head_motion(600, 4, MotionConfig(yaw_deg=yaw, pitch_deg=pitch), accents_s=[1.0, 3.0])
    degrees = np.degrees(motion.pose_rad)
    assert np.abs(degrees[:, 0]).max() == pytest.approx(pitch, abs=1e-3)
    assert np.abs(degrees[:, 1]).max() == pytest.approx(yaw, abs=1e-3)


def test_heads_move_smoothly() -> None:
    degrees = np.degrees(head_motion(1500, 2).pose_rad)
    assert np.abs(np.diff(degrees, axis=0)).max() < 2.0
    assert np.abs(np.diff(degrees, 3, axis=0)).max() < 1.5


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    a, b, c = head_motion(200, 7), head_motion(200, 7), head_motion(200, 8)
    assert np.array_equal(a.pose_rad, b.pose_rad)
    assert np.array_equal(a.gaze_rad, b.gaze_rad)
    assert all(np.array_equal(a.face[k], b.face[k]) for k in a.face)
    assert not np.array_equal(a.pose_rad, c.pose_rad)


def test_accents_nod_without_changing_the_turn() -> None:
    plain, nodding = head_motion(300, 5), head_motion(300, 5, accents_s=[4.0])
    assert np.array_equal(plain.pose_rad[:, 1], nodding.pose_rad[:, 1])
    assert nodding.face["browInnerUp_L"][100] > plain.face["browInnerUp_L"][100] + 0.1


def test_eyes_hold_the_camera_and_lids_blink() -> None:
    motion = head_motion(1500, 1, MotionConfig(yaw_deg=20))
    assert np.corrcoef(motion.gaze_rad[:, 1], motion.pose_rad[:, 1])[0, 1] < -0.8
    shut = motion.face["eyeBlink_L"] > 0.9
    blinks = int((np.diff(shut.astype(int)) == 1).sum())
    assert 6 <= blinks <= 30  # of one minute
    assert max(w.max() for w in motion.face.values()) <= 1
    assert min(w.min() for w in motion.face.values()) >= 0


def test_a_stretch_can_be_cut_out() -> None:
    motion = head_motion(100, 1)
    part = motion[10:40]
    assert len(part) == 30
    assert np.array_equal(part.pose_rad, motion.pose_rad[10:40])
    assert len(part.face["eyeBlink_R"]) == 30


def test_no_frames_is_no_motion() -> None:
    assert len(head_motion(0, 1)) == 0
