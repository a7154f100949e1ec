from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.errors import ShapeError, SubjectError
from lipwright.core.ibug import MOUTH_JAW, NOSE_CENTRE
from lipwright.motion.normalise import (
    cheeks,
    frobenius_scale,
    normalise,
    nose_centre,
    place,
    production_scale,
    targets,
)


@pytest.fixture
def face() -> np.ndarray:
    return np.random.default_rng(0).uniform(100, 300, (5, 68, 2)).astype(np.float32)


def test_the_nose_is_the_origin_and_placing_undoes_it(face: np.ndarray) -> None:
    scale = production_scale(face)
    points = normalise(face, scale)
    np.testing.assert_allclose(points[:, NOSE_CENTRE].mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(place(targets(points), nose_centre(face), scale), face[:, MOUTH_JAW], atol=1e-3)
    assert cheeks(points).shape == (5, 8, 2)


def test_frobenius_norm_of_normalised_frames_is_one(face: np.ndarray) -> None:
    by_frame = frobenius_scale(face)
    for frame, scale in zip(face, by_frame, strict=True):
        assert np.linalg.norm(normalise(frame[None], scale)[0]) == pytest.approx(1, abs=1e-5)


def test_the_mouth_and_jaw_do_not_change_the_scale(face: np.ndarray) -> None:
    moved = face.copy()
    moved[:, MOUTH_JAW] += 50
    assert production_scale(moved) == production_scale(face)
    assert frobenius_scale(moved)[0] != frobenius_scale(face)[0]


def test_frames_without_a_face_do_not_count(face: np.ndarray) -> None:
    spoilt = face.copy()
    spoilt[0] *= 100
    confidence = np.array([0, 1, 1, 1, 1], np.float32)
    assert production_scale(spoilt, confidence) == production_scale(face[1:])


def test_bad_input_is_named(face: np.ndarray) -> None:
    with pytest.raises(SubjectError, match="no frame with a face"):
        production_scale(face, np.zeros(5, np.float32))
    with pytest.raises(ShapeError, match="landmarks"):
        normalise(face[:, :20], 1.0)
