from __future__ import annotations

import zlib

import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.metrics.frechet import frechet_distance
from lipwright.metrics.seam import boundary_ring, gradient_energy, seam_score


def test_gradient_energy_of_a_step_by_hand() -> None:
    image = np.zeros((8, 8))
    image[:, 4:] = 10
    assert gradient_energy(image, np.ones((8, 8), bool)) == pytest.approx(2 * 25 / 8)


def test_ring_follows_the_half_level() -> None:
    mask = np.zeros((20, 20))
    mask[:, 10:] = 1
    ring = boundary_ring(mask, 2)
    assert ring[:, 8:12].all()
    assert not ring[:, :8].any()
    assert not ring[:, 12:].any()


def test_a_step_at_the_mask_edge_is_seen_in_proportion_and_elsewhere_not() -> None:
    rng = np.random.default_rng(0)
    real = rng.integers(100, 110, (40, 40, 3), dtype=np.uint8)
    mask = np.zeros((40, 40))
    mask[10:30, 10:30] = 1
    inside = (mask > 0.5)[..., None].astype(np.uint8)
    scores = [seam_score(real + inside * step, real, mask) for step in (0, 5, 10, 20)]
    assert scores[0] == 1
    assert scores == sorted(scores)
    assert scores[3] > 3
    elsewhere = real.copy()
    elsewhere[18:22, 18:22] += 50
    assert seam_score(elsewhere, real, mask) == pytest.approx(1)
    with pytest.raises(ShapeError):
        seam_score(real, real, mask[:5])


def test_frechet_reference_value() -> None:
    def normal(tag: str) -> np.ndarray:
        return np.random.RandomState(zlib.crc32(f"input:{tag}".encode())).standard_normal((300, 16))

    a, b = normal("fid.a"), 1.3 * normal("fid.b") + 0.2
    assert frechet_distance(a, b) == pytest.approx(2.6654746328598407, rel=1e-9)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_frechet_of_a_shift_in_one_dimension() -> None:
    a = np.random.default_rng(0).normal(size=(50, 1))
    assert frechet_distance(a, a + 3) == pytest.approx(9)
