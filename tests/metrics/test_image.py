"""PSNR and SSIM against reference values, scikit-image and hand-computed numbers."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from lipwright.core.errors import ShapeError
from lipwright.metrics import image


def reference_pair() -> tuple[np.ndarray, np.ndarray]:
    def stream(tag: str) -> np.random.RandomState:
        return np.random.RandomState(zlib.crc32(f"input:{tag}".encode()) & 0xFFFFFFFF)

    a = stream("ssim.a").randint(0, 256, (64, 64, 3))
    b = np.clip(a + stream("ssim.b").randint(-20, 21, (64, 64, 3)), 0, 255)
    return a.astype(np.uint8), b.astype(np.uint8)


def test_reference_values() -> None:
    a, b = reference_pair()
    assert image.ssim_gaussian(a, b) == pytest.approx(0.9871495480554359, rel=1e-6)
    assert image.ssim_uniform(a, b) == pytest.approx(0.9873766072381907, rel=1e-6)
    assert image.psnr(a, b) == pytest.approx(26.803035539962888, rel=1e-12)


@pytest.mark.parametrize("channels", [1, 3])
def test_parity_with_scikit_image_on_smooth_and_odd_sized_pictures(channels: int) -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:37, :53]
    a = np.stack([(120 + 80 * np.sin(x / 7 + c) * np.cos(y / 5)) for c in range(channels)], -1).astype(np.uint8)
    b = np.clip(a + rng.normal(0, 12, a.shape), 0, 255).astype(np.uint8)
    axis = {"channel_axis": -1, "data_range": 255}
    gauss = structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, **axis)
    assert image.ssim_gaussian(a, b) == pytest.approx(gauss, rel=1e-6)
    assert image.ssim_uniform(a, b) == pytest.approx(structural_similarity(a, b, **axis), rel=1e-6)
    assert image.psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a, b, data_range=255), rel=1e-6)


def test_one_grey_level_everywhere_is_48_13_db() -> None:
    a = np.full((12, 12, 3), 100, np.uint8)
    assert image.psnr(a, a + 1) == pytest.approx(10 * np.log10(255**2), rel=1e-12)


def test_identical_pictures() -> None:
    a, _ = reference_pair()
    assert image.psnr(a, a) == np.inf
    assert image.ssim_gaussian(a, a) == 1
    assert image.ssim_uniform(a, a) == 1


def test_mean_psnr_is_per_frame_then_mean_with_a_cap() -> None:
    assert image.mean_psnr([20.0, 30.0]) == 25.0
    assert image.mean_psnr([np.inf, 30.0]) == 65.0
    assert np.isnan(image.mean_psnr([]))


def test_ssim_falls_as_blur_grows() -> None:
    import cv2

    a, _ = reference_pair()
    scores = [image.ssim_gaussian(a, cv2.GaussianBlur(a, (0, 0), s)) for s in (0.5, 1.0, 2.0)]
    assert scores == sorted(scores, reverse=True)


def test_shapes_are_checked() -> None:
    a, _ = reference_pair()
    with pytest.raises(ShapeError, match="generated"):
        image.psnr(a, a[:-1])
    with pytest.raises(ShapeError, match=">=11"):
        image.ssim_gaussian(a[:8], a[:8])
