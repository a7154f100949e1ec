from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.errors import ShapeError, SubjectError
from lipwright.motion.pca import MouthPca


def test_thirteen_directions_come_back_exactly() -> None:
    rng = np.random.default_rng(0)
    mouths = (rng.normal(0, 1, (200, 13)) @ rng.normal(0, 1, (13, 40)) + 5).astype(np.float32)
    pca = MouthPca.fit(mouths)
    np.testing.assert_allclose(pca.basis @ pca.basis.T, np.eye(13), atol=1e-5)
    np.testing.assert_allclose(pca.decode(pca.encode(mouths)).reshape(200, 40), mouths, atol=1e-3)
    assert pca.explained == pytest.approx(1, abs=1e-9)
    assert (np.diff(pca.encode(mouths).std(axis=0)) <= 1e-4).all()


def test_points_and_flat_vectors_are_the_same_mouth() -> None:
    mouths = np.random.default_rng(1).normal(0, 1, (50, 20, 2)).astype(np.float32)
    pca = MouthPca.fit(mouths)
    np.testing.assert_array_equal(pca.encode(mouths), pca.encode(mouths.reshape(50, 40)))
    assert pca.decode(pca.encode(mouths)).shape == (50, 20, 2)


def test_bad_input_is_named() -> None:
    with pytest.raises(SubjectError, match="longer footage"):
        MouthPca.fit(np.zeros((10, 20, 2)))
    with pytest.raises(ShapeError, match="mouths"):
        MouthPca.fit(np.random.default_rng(0).normal(0, 1, (50, 40))).encode(np.zeros((3, 29, 2), np.float32))
