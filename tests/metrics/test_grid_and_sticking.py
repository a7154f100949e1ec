"""Grids, sticking detail, teeth and bins on pictures whose answer is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.metrics.binned import binned
from lipwright.metrics.grid import grid_amplitude
from lipwright.metrics.sticking import affine_between, sticking
from lipwright.metrics.teeth import inside_energy, teeth_sharpness

RNG = np.random.default_rng(5)
SIZE = 128


def textured(rng: np.random.Generator, size: int = SIZE, soft: float = 1.0) -> np.ndarray:
    """Grey noise with a little width, as hair or skin has, of deviation 12."""
    noise = cv2.GaussianBlur(rng.normal(0, 1, (size, size)), (0, 0), soft)
    return (128 + 12 * noise / noise.std()).astype(np.float32)


def stripes(period: int, amplitude: float) -> np.ndarray:
    """A square wave across, `amplitude` about the mean."""
    wave = np.where(np.arange(SIZE) % period < period // 2, amplitude, -amplitude)
    return np.tile(wave, (SIZE, 1)).astype(np.float32)


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_planted_grid_is_measured_in_grey_levels(period: int) -> None:
    flat = np.full((SIZE, SIZE), 100, np.float32)
    assert grid_amplitude([flat + stripes(period, 3)]) == pytest.approx(3, rel=0.12)


def test_a_grid_is_found_in_texture_and_texture_alone_has_none() -> None:
    pictures = [textured(np.random.default_rng(k)) for k in range(6)]
    assert grid_amplitude(pictures) < 0.4
    grids = [p + stripes(4, 3) for p in pictures]
    assert grid_amplitude(grids) == pytest.approx(3, rel=0.15)


def test_gradients_and_moving_grids_are_no_grid() -> None:
    ramp = np.tile(np.linspace(0, 200, SIZE, dtype=np.float32), (SIZE, 1))
    assert grid_amplitude([ramp]) < 0.05
    moving = [np.roll(100 + stripes(8, 3), k, axis=1) for k in range(8)]
    assert grid_amplitude(moving) < 0.1


def test_only_the_masked_area_counts() -> None:
    picture = np.full((SIZE, SIZE), 100, np.float32)
    picture[:, :64] += stripes(4, 5)[:, :64]
    right = np.zeros((SIZE, SIZE), bool)
    right[:, 80:] = True
    assert grid_amplitude([picture], [right]) < 0.1
    assert grid_amplitude([picture], [~right]) > 3
    assert np.isnan(grid_amplitude([picture], [np.zeros((SIZE, SIZE), bool)]))
    with pytest.raises(ShapeError):
        grid_amplitude([picture], [])


def head(t: int) -> np.ndarray:
    """(6, 2) points of a face that moves 3 px a frame to the right and turns a little."""
    angle = 0.01 * t
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    around = np.array([[-30, -20], [30, -20], [0, 0], [-20, 30], [20, 30], [0, 40]], float)
    return around @ turn + [50 + 3 * t, 64]


def scene(t: int, skin: np.ndarray) -> np.ndarray:
    """The skin of frame 0 moved to where the face is in frame t."""
    affine = affine_between(head(0), head(t))
    return cv2.warpAffine(skin, affine, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


@pytest.fixture(scope="module")
def skin() -> np.ndarray:
    return textured(RNG)


POINTS = np.stack([head(t) for t in range(6)]).astype(np.float32)
PAIRS = [(s, t) for s in range(6) for t in range(6) if s < t]


def regions() -> list[np.ndarray]:
    found = []
    for points in POINTS:
        mask = np.zeros((SIZE, SIZE), np.uint8)
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), (1,))
        found.append(mask.astype(bool))
    return found


def test_skin_that_goes_with_the_face_does_not_stick(skin: np.ndarray) -> None:
    found = sticking([scene(t, skin) for t in range(6)], POINTS, regions(), PAIRS)
    assert found.pairs == len(PAIRS)
    assert found.moving > 0.8
    assert abs(found.fixed) < 0.15


def test_a_pane_before_the_face_sticks(skin: np.ndarray) -> None:
    found = sticking([skin] * 6, POINTS, regions(), PAIRS)
    assert found.fixed == pytest.approx(1)
    assert abs(found.moving) < 0.15


def test_half_and_half_and_detail_made_anew(skin: np.ndarray) -> None:
    pane = textured(np.random.default_rng(9))
    both = sticking([scene(t, skin) + pane for t in range(6)], POINTS, regions(), PAIRS)
    assert both.fixed == pytest.approx(0.5, abs=0.12)
    assert both.moving == pytest.approx(0.45, abs=0.12)
    anew = sticking([textured(np.random.default_rng(20 + t)) for t in range(6)], POINTS, regions(), PAIRS)
    assert abs(anew.fixed) < 0.1
    assert abs(anew.moving) < 0.1


def test_a_still_face_tells_nothing(skin: np.ndarray) -> None:
    still = np.repeat(POINTS[:1], 6, axis=0)
    found = sticking([skin] * 6, still, [regions()[0]] * 6, PAIRS)
    assert (found.pairs, np.isnan(found.fixed), np.isnan(found.moving)) == (0, True, True)
    with pytest.raises(ShapeError):
        affine_between(POINTS[0, :2], POINTS[1, :2])


def test_teeth_by_hand() -> None:
    """One bright pixel: its Laplacian is -4 a and a at four neighbours, so 20 a² in all."""
    picture = np.full((40, 40, 3), 60, np.uint8)
    picture[20, 20] = 160
    opening = np.zeros((40, 40), np.uint8)
    opening[8:32, 8:32] = 255
    energy, count = inside_energy(picture, opening)
    assert count == 20 * 20
    assert energy == pytest.approx(20 * 100**2, rel=1e-4)
    half = np.full((40, 40, 3), 60, np.uint8)
    half[20, 20] = 110
    assert teeth_sharpness([half], [picture], [opening]) == pytest.approx(0.25, rel=1e-3)
    lips = picture.copy()
    lips[:6] = 255  # outside the opening nothing counts
    assert inside_energy(lips, opening)[0] == pytest.approx(energy)
    assert np.isnan(teeth_sharpness([half], [picture], [np.zeros((40, 40), np.uint8)]))
    with pytest.raises(ShapeError):
        inside_energy(picture, opening[1:])


def test_bins_by_hand() -> None:
    low, middle, high = binned(np.array([1, 2, 3, 10.0]), np.array([0, 4, 5, 20.0]), [0, 5, 15, 20])
    assert (low.count, low.mean) == (2, 1.5)
    assert (middle.count, middle.mean) == (1, 3.0)
    assert (high.low, high.high, high.count, high.mean) == (15, 20, 1, 10.0)
    assert np.isnan(binned(np.array([1.0]), np.array([9.0]), [0, 5])[0].mean)
    with pytest.raises(ShapeError):
        binned(np.ones(2), np.ones(3), [0, 1])
    with pytest.raises(ShapeError):
        binned(np.ones(2), np.ones(2), [1, 1])
