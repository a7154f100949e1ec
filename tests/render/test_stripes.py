"""Stripes from pixel to pixel go, detail stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.render.stripes import striped, stripes, unstriped

Y, X = np.mgrid[:64, :96]
WAVES = {"rows": Y, "columns": X, "checks": X + Y}


def detail() -> F32:
    """Blobs of several sizes and a lip line over a plane."""
    rng = np.random.default_rng(2)
    field = np.sum([cv2.GaussianBlur(rng.normal(0, 30 * s, (64, 96, 3)), (0, 0), s) for s in (1.0, 3.0)], axis=0)
    field[32:34, 20:76] -= 60
    return np.clip(120 + field, 20, 235).astype(np.float32)


@pytest.mark.parametrize("wave", list(WAVES))
def test_stripes_are_found_and_taken_out(wave: str) -> None:
    added = np.where(WAVES[wave] % 2, -4.0, 4.0).astype(np.float32)[..., None]
    found = stripes(detail() + added) - stripes(detail())
    np.testing.assert_allclose(found[8:-8, 8:-8], np.broadcast_to(added, (64, 96, 3))[8:-8, 8:-8], atol=1e-3)
    assert np.abs(unstriped(detail() + added) - unstriped(detail())).max() < 2.5  # at the border they are half as sure


def test_planes_have_none_and_detail_keeps_its_energy() -> None:
    plane = (3.0 * X + Y).astype(np.float32)
    assert np.abs(stripes(plane))[8:-8, 8:-8].max() < 1e-2
    sharp = [np.square(cv2.Laplacian(p, cv2.CV_32F)).mean() for p in (detail(), unstriped(detail()))]
    assert sharp[1] > 0.9 * sharp[0]


def test_levels_stay_levels() -> None:
    picture = detail().astype(np.uint8)
    assert unstriped(picture).dtype == np.uint8
    flat = np.full((32, 32, 3), 77, np.uint8)
    np.testing.assert_array_equal(unstriped(flat), flat)
    assert striped([flat]) < 1e-6 < striped([picture])


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (7, 64)])
def test_pictures_may_be_small(size: tuple[int, int]) -> None:
    flat = np.full((*size, 3), 90, np.uint8)
    assert unstriped(flat).shape == flat.shape
