from __future__ import annotations

import cv2
import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.metrics import detail, steadiness


def test_luma_weights() -> None:
    image = np.zeros((1, 3, 3), np.uint8)
    image[0, 0, 0] = image[0, 1, 1] = image[0, 2, 2] = 100
    np.testing.assert_allclose(detail.luma(image)[0], [29.9, 58.7, 11.4], rtol=1e-5)


def test_laplacian_energy_of_one_dot() -> None:
    image = np.zeros((7, 7), np.uint8)
    image[3, 3] = 10
    # The kernel answers -40 once and 10 four times, over 5x5 inner pixels.
    assert detail.laplacian_energy(image) == pytest.approx((1600 + 4 * 100) / 25)


def test_a_ramp_has_no_detail() -> None:
    assert detail.laplacian_energy(np.tile(np.arange(20, dtype=np.uint8), (20, 1))) == 0


def test_sharpness_ratio_falls_with_blur_and_is_one_for_the_same() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)
    real = [detail.laplacian_energy(image)]
    ratios = [
        detail.sharpness_ratio([detail.laplacian_energy(cv2.GaussianBlur(image, (0, 0), s))], real)
        for s in (0.4, 0.8, 1.6)
    ]
    assert detail.sharpness_ratio(real, real) == 1
    assert 1 > ratios[0] > ratios[1] > ratios[2] > 0
    assert np.isnan(detail.sharpness_ratio([1.0], [0.0]))


def test_frame_energy_and_jitter_ratio() -> None:
    a = np.zeros((4, 4, 3), np.uint8)
    b = np.full((4, 4, 3), 3, np.uint8)
    assert steadiness.frame_energy(a, b) == pytest.approx(9)
    assert steadiness.jitter_ratio([9.0, 9.0], [4.0, 5.0]) == pytest.approx(2)
    assert np.isnan(steadiness.jitter_ratio([1.0], [0.0]))
    with pytest.raises(ShapeError):
        steadiness.frame_energy(a, b[:2])


def test_third_differences_ignore_smooth_motion_and_measure_noise() -> None:
    t = np.arange(4000, dtype=np.float64)
    smooth = np.stack([t**2 * 1e-3, 5 - t], -1)[:, None]  # third differences of a parabola vanish
    assert steadiness.third_difference_energy(smooth) == pytest.approx(0, abs=1e-15)
    noisy = smooth + np.random.default_rng(1).normal(0, 0.7, smooth.shape)
    assert steadiness.tracker_noise(noisy) == pytest.approx(0.7, rel=0.05)
    twice = smooth + 2 * (noisy - smooth)
    assert steadiness.landmark_jitter_ratio(twice, noisy) == pytest.approx(4, rel=1e-6)
    assert np.isnan(steadiness.third_difference_energy(smooth[:3]))


def test_third_difference_of_an_impulse_by_hand() -> None:
    track = np.zeros((7, 1, 1))
    track[3] = 2.0
    assert steadiness.third_difference_energy(track) == pytest.approx(4 * 20 / 4)


def test_noise_distance_is_what_noise_alone_gives() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(0, 0.5, (2000, 20, 2)), rng.normal(0, 0.3, (2000, 20, 2))
    expected = np.linalg.norm(a - b, axis=-1).mean()
    assert steadiness.noise_distance(0.5, 0.3) == pytest.approx(expected, rel=0.02)


def test_frozen_share() -> None:
    assert steadiness.frozen_share([0.0, 0.01, 3.0, 5.0]) == 0.5
    assert np.isnan(steadiness.frozen_share([]))
