from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import FaceTrack
from lipwright.core.ibug import INNER_BOTTOM, MOUTH, MOUTH_JAW, lip_aperture
from lipwright.face.align import Aligner, apply
from lipwright.face.landmarks68 import to_68
from lipwright.face.pose import rotation
from lipwright.metrics import controls
from lipwright.metrics.frontal import aligned_pair, frontal_landmarks
from lipwright.metrics.landmarks import lmd

RNG = np.random.default_rng(0)
FACE = RNG.normal(0, 40, (68, 2))
FACE[[61, 62, 63]] = [[-5, 20], [0, 20], [5, 20]]
FACE[[67, 66, 65]] = [[-5, 22], [0, 22], [5, 22]]


def maps(n: int) -> np.ndarray:
    angle, scale = RNG.uniform(-0.3, 0.3, n), RNG.uniform(0.9, 1.1, n)
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    x, y = RNG.uniform(-20, 20, (2, n)) + 200
    return np.stack([np.stack([a, -b, x], -1), np.stack([b, a, y], -1)], 1)


def talking(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """A head that moves rigidly and a lower lip that opens by `aperture` px in the face's own frame."""
    aperture = 4 + 4 * np.sin(np.arange(n))
    shapes = np.repeat(FACE[None], n, 0)
    shapes[:, INNER_BOTTOM, 1] = 20 + aperture[:, None]
    return apply(maps(n), shapes).astype(np.float32), aperture


def test_lip_aperture_is_the_mean_of_three_pairs() -> None:
    face = np.zeros((68, 2))
    face[[67, 66, 65], 1] = [3, 6, 9]
    assert lip_aperture(face) == pytest.approx(6)


def test_frozen_and_mean_mouth_keep_the_head_and_stop_the_lips() -> None:
    track, _ = talking()
    for control in (controls.mean_mouth(track), controls.frozen_mouth(track, 0)):
        other = [k for k in range(68) if k not in MOUTH_JAW]
        np.testing.assert_array_equal(control[:, other], track[:, other])
        aligned = apply(Aligner.fit(track).maps(track), control)
        assert np.ptp(aligned[:, MOUTH], axis=0).max() < 1e-3
    frozen = controls.frozen_mouth(track, 7)
    np.testing.assert_allclose(frozen[7], track[7], atol=1e-3)
    assert lmd(track, controls.mean_mouth(track)) < lmd(track, controls.frozen_mouth(track))


def test_rest_frame_is_a_closed_one() -> None:
    track, aperture = talking()
    assert aperture[controls.rest_frame(track)] <= np.sort(aperture)[4]


def turned(pose: np.ndarray) -> FaceTrack:
    """A fixed mesh with depth, turned by each pose and projected orthographically."""
    rng = np.random.default_rng(3)
    mesh = rng.normal(0, 30, (478, 3)) * [1, 1, 0.5]
    flip = np.array([1.0, -1.0, -1.0])
    dense = np.einsum("tij,kj->tki", rotation(pose), mesh * flip) * flip + [200, 150, 0]
    dense = dense.astype(np.float32)
    return FaceTrack(to_68(dense), dense, np.ones(len(pose), np.float32), pose, (400, 300))


def test_frontal_landmarks_do_not_depend_on_pose() -> None:
    pose = np.random.default_rng(4).uniform(-0.4, 0.4, (12, 3)).astype(np.float32)
    track = turned(pose)
    front = frontal_landmarks(track)
    assert np.ptp(track.landmarks_px, axis=0).max() > 10
    np.testing.assert_allclose(front, np.broadcast_to(front[:1], front.shape), atol=1e-3)
    straight = turned(np.zeros((1, 3), np.float32)).landmarks_px
    np.testing.assert_allclose(front[0] - front[0].mean(0), straight[0] - straight[0].mean(0), atol=1e-3)


def test_aligned_pair_removes_head_motion_place_and_size() -> None:
    rng = np.random.default_rng(5)
    a = turned(rng.uniform(-0.3, 0.3, (9, 3)).astype(np.float32))
    b = turned(rng.uniform(-0.3, 0.3, (9, 3)).astype(np.float32))
    bigger = FaceTrack(b.landmarks_px * 2 + 7, b.dense_px * 2 + 7, b.confidence, b.pose_rad, (800, 600))
    real, generated = aligned_pair(a, bigger)
    np.testing.assert_allclose(real, generated, atol=5e-3)
