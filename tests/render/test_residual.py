"""Errors that a drawing repeats are taken off; mouths unlike those learnt from stay as they were drawn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.render.residual import Residual
from lipwright.render.translation.batch import Batch
from lipwright.render.translation.held_out import HeldOut

SIDE, MOUTH = 64, (16, 24, 24, 16)
WEIGHT = np.zeros((SIDE, SIDE), np.float32)
WEIGHT[20:44, 12:44] = 1


def drawing(opening: float, side: int = SIDE) -> U8:
    """A dark blob, as deep as the mouth is open, on skin."""
    y, x = (np.mgrid[:side, :side] * (SIDE / side)).astype(np.float32)
    blob = np.exp(-(((x - 28) / 8) ** 2) - ((y - 32) / 4) ** 2)
    return np.clip(150 - 90 * opening * blob, 0, 255).astype(np.uint8)[..., None].repeat(3, 2)


def fixed(side: int = SIDE) -> F32:
    """An upright line of 12 levels that every drawing has."""
    line = np.zeros((side, side, 3), np.float32)
    line[:, 20 * side // SIDE : 24 * side // SIDE] = 12
    return line


def grows(side: int = SIDE) -> F32:
    """What a drawing has too much of where the mouth opens, 15 levels of red in the middle, times the opening."""
    spot = np.zeros((side, side, 3), np.float32)
    spot[30 * side // SIDE : 34 * side // SIDE, 26 * side // SIDE : 30 * side // SIDE, 0] = 15
    return spot


def pairs(count: int, side: int = SIDE) -> list[tuple[U8, U8, F32]]:
    weight = cv2.resize(WEIGHT, (side, side), interpolation=cv2.INTER_NEAREST)
    made = []
    for opening in np.linspace(0.2, 1.0, count):
        picture = drawing(float(opening), side)
        real = np.clip(picture - fixed(side) - (opening - 0.6) * grows(side) + 0.5, 0, 255).astype(np.uint8)
        made.append((picture, real, weight))
    return made


@pytest.fixture(scope="module")
def residual() -> Residual:
    found = Residual.fit(pairs(48), MOUTH)
    assert found is not None
    return found


def test_what_every_drawing_has_goes_and_what_an_opening_brings_by_two_thirds(residual: Residual) -> None:
    picture = drawing(0.83)
    off = picture.astype(np.float32) - residual(picture)
    inside = WEIGHT > 0
    line = inside & (fixed()[..., 1] > 0)
    np.testing.assert_allclose(off[line][:, 1], 12, atol=1)
    # A ridge of half a component's energy keeps 1 / 1.5 of it: 15 * 0.23 * 2 / 3 = 2.3 levels, and rounding.
    spot = inside & (grows()[..., 0] > 0)
    np.testing.assert_allclose(off[spot][:, 0] - off[spot][:, 1], 15 * 0.23 * 2 / 3, atol=1)
    assert np.abs(off[~inside]).max() == 0
    assert np.abs(off[inside & ~line & ~spot]).max() <= 1


def test_an_unlike_mouth_stays_as_it_was_drawn(residual: Residual) -> None:
    strange = drawing(0.6)
    strange[26:38, 20:36] = np.random.default_rng(2).integers(0, 255, (12, 16, 3))
    np.testing.assert_array_equal(residual(strange), strange)
    assert (residual(drawing(0.6)) != drawing(0.6)).any()


def test_what_is_outside_the_mouth_decides_nothing(residual: Residual) -> None:
    """Else something of the template could, where pictures show it."""
    picture = drawing(0.5)
    other = picture.copy()
    other[:20], other[44:] = 0, 255
    np.testing.assert_array_equal(residual(picture)[20:44], residual(other)[20:44])


def test_what_is_kept_is_what_was_learnt(residual: Residual) -> None:
    again = Residual.from_state(residual.state())
    assert again is not None
    assert (again.mouth, again.area) == (residual.mouth, residual.area) == (MOUTH, (12, 20, 32, 24))
    for opening in (0.1, 0.5, 0.9):
        np.testing.assert_array_equal(again(drawing(opening)), residual(drawing(opening)))
    assert Residual.from_state({}) is None


def test_few_frames_teach_nothing() -> None:
    assert Residual.fit(pairs(11), MOUTH) is None
    assert Residual.fit([], MOUTH) is None
    one = Residual.fit(pairs(12), MOUTH)
    assert one is not None
    assert one.components.shape == (32 * 48 * 3, 1)
    hidden = [(a, b, np.zeros_like(c)) for a, b, c in pairs(12)]
    assert Residual.fit(hidden, MOUTH) is None


@pytest.mark.parametrize(("side", "kept"), [(256, 256), (320, 160), (512, 256)])
def test_errors_of_large_squares_are_learnt_smaller(side: int, kept: int) -> None:
    mouth = tuple(v * side // SIDE for v in MOUTH)
    residual = Residual.fit(pairs(24, side), (mouth[0], mouth[1], mouth[2], mouth[3]))
    assert residual is not None
    assert residual.errors.shape[1:] == (24 * kept // SIDE, 32 * kept // SIDE, 3)
    picture = drawing(0.6, side)
    off = picture.astype(np.float32) - residual(picture)
    middle = np.s_[26 * side // SIDE : 40 * side // SIDE, 21 * side // SIDE : 23 * side // SIDE, 1]
    np.testing.assert_allclose(off[middle], 12, atol=1)


class Told:
    """Pictures of a network that errs on the frames it learnt from and, where `held_out`, on others too."""

    train, validation = np.arange(24), np.arange(24, 32)

    def __init__(self, held_out: bool) -> None:
        self._held_out = held_out

    def plain(self, indices: NDArray[np.int64], _: object) -> Batch:
        i = int(indices[0])
        picture, real, weight = pairs(32)[i * 7 % 32]
        if i >= 24 and not self._held_out:
            real = picture
        drawn, wanted = (torch.from_numpy(x).permute(2, 0, 1)[None] / 127.5 - 1 for x in (picture, real))
        mask = torch.from_numpy(weight)[None, None]
        return Batch(drawn, wanted, mask, wanted, [MOUTH], mask)

    def runs(self, indices: NDArray[np.int64], count: int, _: int) -> list[NDArray[np.int64]]:
        return [indices[k : k + 1] for k in range(min(count, len(indices)))]


@pytest.mark.parametrize("repeated", [True, False])
def test_an_error_that_held_out_frames_do_not_have_is_not_taken_off(repeated: bool) -> None:
    held_out = HeldOut(None, Told(repeated), lambda batch: batch, lambda inputs: inputs)
    assert (held_out.residual(24) is not None) == repeated
    assert held_out.residual(0) is None
