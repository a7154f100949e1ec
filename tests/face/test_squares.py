from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.face.squares import Square, apply, between, fitting_square, hd_square


def landmarks(extent: float, middle: tuple[float, float] = (1900.0, 1000.0)) -> np.ndarray:
    """Five frames of points in a box of that extent."""
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 68, 2)).repeat(5, 0)
    points[:, 8], points[:, 51], points[:, 2], points[:, 14] = (0, 0.5), (0, -0.5), (-0.5, 0), (0.5, 0)
    return (points * extent + middle).astype(np.float32)


def test_there_and_back_is_exact_in_a_4k_frame() -> None:
    points = np.random.default_rng(1).uniform(0, 3840, (2000, 2))
    for square in (Square(812.3, 411.9, 733.0, 512), Square(-20.25, 5.5, 768.0, 256), hd_square(landmarks(300))):
        back = apply(square.frame_from_crop, apply(square.crop_from_frame, points))
        assert np.abs(back - points).max() < 1e-4
        single = apply(square.crop_from_frame, points).astype(np.float32)
        assert np.abs(apply(square.frame_from_crop, single) - points).max() < 2e-3  # of float32 pixels
    a, b = Square(100.0, 50.0, 900.0, 256), Square(311.5, 402.0, 512.0, 1024)
    inside = apply(a.crop_from_frame, points)
    np.testing.assert_allclose(apply(between(a, b), inside), apply(b.crop_from_frame, points), atol=1e-7)
    np.testing.assert_allclose(apply(between(b, a), apply(between(a, b), inside)), inside, atol=1e-7)


def test_pixels_of_a_square_are_areas() -> None:
    """A square from 100 to 356 with 512 pixels: its first covers 100 to 100.5, around 100.25."""
    square = Square(100.0, 20.0, 256.0, 512)
    np.testing.assert_allclose(apply(square.frame_from_crop, np.array([[0.0, 511.0]])), [[100.25, 275.75]])
    np.testing.assert_allclose(apply(square.crop_from_frame, np.array([[100.0, 276.0]])), [[-0.5, 511.5]])
    np.testing.assert_allclose(
        square.from_ndc(np.array([[-1, -1], [0, 0], [1, 1]])), [[100, 20], [228, 148], [356, 276]]
    )


@pytest.mark.parametrize(("extent", "side"), [(100, 512), (319, 512), (321, 768), (480, 768), (500, 1024), (700, 1280)])
def test_the_hd_square_is_the_smallest_that_holds_the_lower_face(extent: float, side: int) -> None:
    square = hd_square(landmarks(extent))
    assert (square.side, square.pixels) == (side, side)
    middle = (square.left + side / 2, square.top + side / 2)
    np.testing.assert_allclose(middle, (1900, 1000), atol=0.01 * extent)


def test_the_fitting_square_is_twice_the_face() -> None:
    square = fitting_square(landmarks(300))
    assert square.side == pytest.approx(600, rel=1e-3)
    assert square.pixels == 256
    with pytest.raises(ShapeError):
        fitting_square(np.zeros((0, 68, 2), np.float32))
