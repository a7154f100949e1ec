"""MS-SSIM, blocks, texture features, flicker."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.metrics import flicker, image, msssim, texture
from lipwright.metrics.blockiness import block_steps, blockiness
from lipwright.metrics.frechet import frechet_distance, frechet_interval


def waves(height: int = 180, width: int = 190) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([128 + 60 * np.sin(x / 7 + c) * np.cos(y / 11) for c in range(3)], -1).astype(np.uint8)


def noisy(picture: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    noise = np.random.RandomState(seed).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def test_ms_ssim_reference_value() -> None:
    """From a plain double-precision implementation with scipy filters, written apart from this one."""
    single, multi = msssim.ssim_and_ms_ssim(waves(), noisy(waves(), 12))
    assert multi == pytest.approx(0.9460067110854364, abs=1e-7)
    assert single == pytest.approx(image.ssim_gaussian(waves(), noisy(waves(), 12)), abs=1e-9)
    assert msssim.ms_ssim(waves(), waves()) == 1


def test_ms_ssim_falls_with_noise_and_refuses_small_pictures() -> None:
    values = [msssim.ms_ssim(waves(), noisy(waves(), s)) for s in (2, 8, 32)]
    assert values == sorted(values, reverse=True)
    assert msssim.ms_ssim(waves(176, 176), 255 - waves(176, 176)) == 0
    with pytest.raises(ShapeError):
        msssim.ms_ssim(waves(175, 200), waves(175, 200))


def test_block_steps_by_hand() -> None:
    picture = np.zeros((32, 32), np.uint8)
    picture[:, 8:16] = 8
    # Across: lines 8 and 16 of columns step by 8, line 24 does not; rows never step.
    assert block_steps(picture) == pytest.approx((8 * 2 / 3 / 2, 0))
    assert np.isnan(blockiness(np.zeros((3, 2))))
    assert block_steps(picture[:10]) == (0, 0)


def test_blocks_grow_with_compression_and_follow_the_grid() -> None:
    rng = np.random.default_rng(0)
    soft = cv2.GaussianBlur(rng.normal(128, 300, (160, 160, 3)), (0, 0), 3).clip(0, 255).astype(np.uint8)
    values = [blockiness(block_steps(soft))]
    for quality in (60, 30, 10):
        coded = cv2.imdecode(cv2.imencode(".jpg", soft, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
        values.append(blockiness(block_steps(coded)))
    assert values[0] == pytest.approx(1, abs=0.1)
    assert values == sorted(values)
    assert values[-1] > 1.5
    cut = coded[3:, 5:]
    assert blockiness(block_steps(cut, left=5, top=3)) == pytest.approx(values[-1], rel=0.05)
    assert blockiness(block_steps(cut)) < 1.15  # off the grid, hardly anything is seen


def test_texture_features_see_blur_noise_and_colour_and_not_a_shift() -> None:
    real = [noisy(np.roll(waves(), 3 * i, axis=1), 6, i) for i in range(30)]
    features = np.array([texture.pyramid_features(p) for p in real])
    assert features.shape == (30, texture.N_FEATURES)

    def distance(change: object) -> float:
        return frechet_distance(features, np.array([texture.pyramid_features(change(p)) for p in real]))  # type: ignore[operator]

    blurred = [distance(lambda p, s=s: cv2.GaussianBlur(p, (0, 0), s)) for s in (0.5, 1, 2)]
    coloured = [distance(lambda p, c=c: np.clip(p + np.array([c, 0, 0]), 0, 255).astype(np.uint8)) for c in (4, 8, 16)]
    assert 0.01 < blurred[0] < blurred[1] < blurred[2]
    assert 0 < coloured[0] < coloured[1] < coloured[2]
    assert distance(lambda p: np.roll(p, 1, axis=1)) < 0.2 * blurred[0]
    assert distance(lambda p: p) == pytest.approx(0, abs=1e-9)


def test_frechet_by_frames_equals_frechet_by_features() -> None:
    """Fewer frames than features take another way to the same number."""
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(30, 80)), 1.2 * rng.normal(size=(25, 80)) + 0.1
    covariance_a, covariance_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.sqrt(np.maximum(np.linalg.eigvals(covariance_a @ covariance_b).real, 0)).sum()
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(covariance_a + covariance_b) - 2 * root
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


def test_frechet_interval() -> None:
    rng = np.random.default_rng(3)
    a = rng.normal(size=(300, 4))
    low, high = frechet_interval(a, a + 2, 5) or (0, 0)
    assert low == pytest.approx(16, rel=1e-6)
    assert high == pytest.approx(16, rel=1e-6)
    assert frechet_interval(a[:14], a[:14], 5) is None


def test_flicker_is_the_deviation_of_white_flicker_and_forgives_a_slow_change_of_light() -> None:
    rng = np.random.default_rng(4)
    ramp = np.linspace(0, 20, 500)[:, None, None] + np.zeros((500, 6, 8))
    nothing = np.zeros((6, 8), bool)
    assert flicker.flicker(flicker.flicker_energy(ramp, ~nothing)) == pytest.approx(0, abs=1e-9)
    white = ramp + 1.5 * rng.normal(size=(500, 1, 1))
    assert flicker.flicker(flicker.flicker_energy(white, ~nothing)) == pytest.approx(1.5, rel=0.1)
    assert np.isnan(flicker.flicker(flicker.flicker_energy(ramp[:2], ~nothing)))


def test_static_cells_leave_out_what_moves_and_the_head() -> None:
    rng = np.random.default_rng(5)
    cells = 0.01 * rng.normal(size=(100, 6, 8))
    cells[:, :3] += rng.normal(size=(100, 3, 8))
    blocked = np.zeros((6, 8), bool)
    blocked[5] = True
    static = flicker.static_cells(cells, blocked)
    assert not static[:3].any()
    assert not static[5].any()
    assert static.sum() == round(0.25 * 40)
    assert flicker.static_cells(cells, np.ones((6, 8), bool)).any()
    with pytest.raises(ShapeError):
        flicker.static_cells(cells, blocked[1:])


def test_cells_are_means() -> None:
    picture = np.zeros((480, 240, 3), np.uint8)
    picture[:20, :20] = 100
    cells = flicker.cell_means(picture)
    assert cells.shape == (24, 12)
    assert cells[0, 0] == pytest.approx(100, abs=0.1)
    assert cells.sum() == pytest.approx(100, abs=0.1)
