from __future__ import annotations

import cv2
import numpy as np
import pytest

from lipwright.render.warp import ThinPlate, grid_nodes, sample_fine, upsample


def test_the_spline_meets_its_points() -> None:
    rng = np.random.default_rng(0)
    at, values = rng.uniform(0, 200, (30, 2)), rng.normal(0, 4, (30, 2))
    spline = ThinPlate(at, 0.0)
    np.testing.assert_allclose(spline.evaluate(spline.solve(values), at), values, atol=1e-9)


def test_affine_motion_is_reproduced_everywhere_whatever_the_stiffness() -> None:
    rng = np.random.default_rng(1)
    at, probe = rng.uniform(0, 200, (12, 2)), rng.uniform(-50, 250, (40, 2))
    turn = np.array([[0.1, -0.2], [0.3, 0.05]])
    spline = ThinPlate(at, 0.5)
    np.testing.assert_allclose(spline.evaluate(spline.solve(at @ turn.T + 3), probe), probe @ turn.T + 3, atol=1e-8)


def test_coarse_grids_upsample_without_bias() -> None:
    nodes, grid = grid_nodes(203, 157)
    slope = np.array([[0.02, -0.01], [0.01, 0.03]])
    dense = upsample(nodes @ slope.T + [1, 2], grid, 203, 157)
    y, x = np.mgrid[:157, :203]
    true = np.stack([x, y], -1) @ slope.T + [1, 2]
    assert np.abs(dense - true).max() < 0.02


def test_fine_sampling_is_exact_on_pixels_and_band_limited_between() -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (24, 30, 3)).astype(np.uint8)
    y, x = np.mgrid[4:20, 5:25].astype(np.float32)
    np.testing.assert_array_equal(sample_fine(image, np.stack([x + 2, y - 3], -1)), image[1:17, 7:27])
    # A wave of 3.2 px along x: its value half way is known; Lanczos over 8 pixels loses more of it.
    columns = np.arange(200)
    wave = np.broadcast_to(128 + 100 * np.cos(2 * np.pi * columns / 3.2), (32, 200))
    picture = np.repeat(np.rint(wave)[..., None], 3, 2).astype(np.uint8)
    y, x = np.mgrid[10:20, 20:180].astype(np.float32)
    wanted = 128 + 100 * np.cos(2 * np.pi * (x + 0.5) / 3.2)
    moved = np.stack([x + 0.5, y], -1)
    both = sample_fine(picture, moved), cv2.remap(picture, moved, None, cv2.INTER_LANCZOS4)
    errors = [np.abs(made[..., 0].astype(float) - wanted).max() for made in both]
    assert errors[0] < 4
    assert errors[0] < 0.5 * errors[1]


@pytest.mark.parametrize("corner", [(0, 0), (33, 20), (-9, 50), (80, 70)])
def test_fine_sampling_of_a_part_is_that_of_the_whole(corner: tuple[int, int]) -> None:
    """Also beyond the borders, which repeat."""
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, (60, 70, 3)).astype(np.uint8)
    whole = np.stack(np.meshgrid(np.arange(-12, 100), np.arange(-12, 90)), -1) + rng.uniform(-3, 3, (102, 112, 2))
    part = (slice(corner[1] + 12, corner[1] + 20), slice(corner[0] + 12, corner[0] + 21))
    made = sample_fine(image, whole.astype(np.float32))
    np.testing.assert_array_equal(sample_fine(image, whole[part].astype(np.float32)), made[part])
