from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.core.ibug import MOUTH
from lipwright.metrics import landmarks as lm


@pytest.fixture
def face() -> np.ndarray:
    return np.random.default_rng(0).normal(100, 20, (5, 68, 2))


def test_a_shift_counts_raw_but_not_centred(face: np.ndarray) -> None:
    moved = face + np.array([3.0, 4.0])
    assert lm.lmd(face, moved) == pytest.approx(5)
    assert lm.lmd(face, moved, centred=True) == pytest.approx(0, abs=1e-9)
    assert lm.f_lmd(face, moved) == pytest.approx(5)
    np.testing.assert_allclose(lm.landmark_distances(face, moved), 5)


def test_one_point_by_hand(face: np.ndarray) -> None:
    moved = face.copy()
    moved[:, 48] += [0.0, 20.0]
    assert lm.lmd(face, moved) == pytest.approx(1)  # 20 px at one of 20 points
    assert lm.lmd(face, moved, centred=True) == pytest.approx((19 + 19 * 1) / 20)
    assert lm.f_lmd(face, moved) == pytest.approx(20 / 68)


def test_points_outside_the_mouth_do_not_count(face: np.ndarray) -> None:
    moved = face.copy()
    moved[:, :48] += 7
    assert lm.lmd(face, moved) == 0


def test_inter_ocular() -> None:
    face = np.zeros((2, 68, 2))
    face[:, 45] = [[30, 40], [0, 10]]
    assert lm.inter_ocular(face) == pytest.approx(30)


def test_three_forms_of_d_lip(face: np.ndarray) -> None:
    moved = face + np.array([3.0, 4.0])
    assert lm.d_lip_px(face, moved, 1024) == pytest.approx(2.5)
    assert lm.d_lip_centred(face, moved, 1024) == pytest.approx(0, abs=1e-9)
    assert lm.d_lip_frobenius(face, moved, 512) == pytest.approx(5 * np.sqrt(20))


def test_velocity_error_by_hand(face: np.ndarray) -> None:
    moved = face.copy()
    moved[2, MOUTH[0]] += [1.0, 2.0]  # changes two of four velocities by 5 px^2
    assert lm.velocity_error(face, moved) == pytest.approx(2 * 5 / 4)
    assert lm.velocity_error(face, face + 9) == pytest.approx(0, abs=1e-9)
    assert np.isnan(lm.velocity_error(face[:1], face[:1]))


def test_shapes(face: np.ndarray) -> None:
    with pytest.raises(ShapeError):
        lm.lmd(face, face[1:])


def test_velocity_difference_by_hand_and_mse_as_its_square() -> None:
    real = np.zeros((3, 68, 2))
    made = real.copy()
    made[1, 48:68] = (3, 4)  # out and back: two steps of 5 px at each of 20 points
    np.testing.assert_allclose(lm.velocity_distances(real, made), [5, 5])
    np.testing.assert_allclose(lm.velocity_errors(real, made), [500, 500])
    assert lm.velocity_error(real, made) == 500
    np.testing.assert_allclose(lm.frobenius_distances(real, made), [0, 5 * np.sqrt(20), 0])
