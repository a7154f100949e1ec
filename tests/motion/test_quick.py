"""Quick movement given back: its energy, what it leaves alone, and personas that were made without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipwright.motion.config import PAPER
from lipwright.motion.data import MotionClip, MotionData
from lipwright.motion.filters import low_pass
from lipwright.motion.model import CascadeMotion
from lipwright.motion.quick import MOST, REACH, quick_gain, quickened
from lipwright.motion.task import MotionTask


def energy(rows: np.ndarray, follows: np.ndarray) -> float:
    return float((np.diff(rows.astype(np.float64), axis=0)[follows] ** 2).sum())


@pytest.fixture
def lips() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (400, 20, 2)).astype(np.float32)


def test_an_impulse_is_raised_and_its_neighbours_lowered() -> None:
    rows = np.zeros((11, 1), np.float32)
    rows[5] = 1
    weights = np.exp(-0.5 * np.arange(-REACH, REACH + 1.0) ** 2)
    wanted = rows.copy()
    wanted[5 - REACH : 6 + REACH, 0] -= (weights / weights.sum()).astype(np.float32)
    np.testing.assert_allclose(quickened(rows, 0.5), rows + 0.5 * (wanted), atol=1e-6)
    assert quickened(rows, 0.0) is rows


def test_nothing_is_added_where_nothing_moves_or_moves_evenly() -> None:
    even = np.linspace(0, 3, 40, dtype=np.float32)[:, None]
    np.testing.assert_allclose(quickened(even, 1.0)[REACH:-REACH], even[REACH:-REACH], atol=1e-5)


def test_the_gain_gives_the_energy_asked_for(lips: np.ndarray) -> None:
    follows = np.ones(len(lips) - 1, bool)
    follows[[99, 199]] = False  # stretches end there
    guess = low_pass(lips, 0.5)
    lips[100:] += 50
    guess[100:] += 50
    gain = quick_gain(guess, lips, follows, 0.9)
    assert 0 < gain < MOST
    added = guess - low_pass(guess, 1.0)
    assert energy(guess + gain * added, follows) == pytest.approx(0.9 * energy(lips, follows), rel=1e-3)


def test_what_moves_enough_is_left_and_what_hardly_moves_is_not_made_to_tremble(lips: np.ndarray) -> None:
    follows = np.ones(len(lips) - 1, bool)
    assert quick_gain(lips, lips, follows, 0.9) == 0
    assert quick_gain(low_pass(lips, 3.0), lips, follows, 0.9) == MOST
    assert quick_gain(low_pass(lips, 3.0), lips, follows, 0.0) == 0


def test_personas_made_before_have_none(clip: MotionClip) -> None:
    config = replace(PAPER, width=8, batch=4, separate=True, kernel_share=0.5, amplitude=1.0, quick=1.0)
    model = MotionTask(config, MotionData((clip,))).model()
    tensors, description = model.state()
    tensors["statistics.separate.numbers"] = tensors["statistics.separate.numbers"][:3]
    again = CascadeMotion.from_state(tensors, description)
    assert again.statistics.separate is not None
    assert model.statistics.separate is not None
    assert again.statistics.separate.quick == 0 < model.statistics.separate.quick
    assert again.info.halo == model.info.halo - REACH
