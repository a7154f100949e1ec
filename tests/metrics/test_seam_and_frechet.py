from __future__ import annotations

import zlib

import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.metrics.frechet import frechet_distance
from lipwright.metrics.seam import boundary_ring, gradient_energy, gradient_map, seam_score, sticky_edge_score


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


def test_gradient_map_is_gradient_energy_pixel_by_pixel() -> None:
    rng = np.random.default_rng(1)
    image = rng.uniform(0, 255, (12, 15))
    inner = np.zeros(image.shape, bool)
    inner[1:-1, 1:-1] = True
    assert gradient_map(image)[inner].mean() == pytest.approx(gradient_energy(image, inner), rel=1e-5)
    assert gradient_map(image)[~inner].max() == 0


def test_an_edge_that_stays_is_found_wherever_it_is_and_softness_is_none() -> None:
    rng = np.random.default_rng(2)
    real = rng.uniform(5, 10, (80, 80))
    everywhere = np.ones((80, 80), bool)
    scores = []
    for height in (0.0, 4.0, 16.0):
        made = real.copy()
        made[20:60, 30] += height
        scores.append(sticky_edge_score(made, real, everywhere))
    assert scores[0] == pytest.approx(1)
    assert 1.05 < scores[1] < scores[2]
    assert sticky_edge_score(0.3 * real, real, everywhere) < 1
    lips = everywhere.copy()
    lips[15:65, 25:36] = False
    assert sticky_edge_score(made, real, lips) == pytest.approx(1)
    assert np.isnan(sticky_edge_score(real, 0 * real, everywhere))
    with pytest.raises(ShapeError):
        sticky_edge_score(real, real[:5], everywhere)
