from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.metrics.lipfit import LEAST_WINDOWS, REACH, fits, lip_fit

N = LEAST_WINDOWS + 2 * REACH


def directions(seed: int, n: int = N) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(n, 16)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize("late", [-7, 0, 3, 15])
def test_a_planted_delay_is_found_with_our_sign(late: int) -> None:
    lips = directions(1)
    found = lip_fit(fits(lips, np.roll(lips, late, axis=0)))
    assert found.offset_frames == pytest.approx(late, abs=1.0 if abs(late) == REACH else 0.1)
    assert found.fit == pytest.approx(1, abs=1e-5)
    assert found.confidence > 0.8
    assert found.offset_interval is not None
    assert found.offset_interval[0] <= found.offset_frames + 0.2
    assert len(found.over_time) == LEAST_WINDOWS


def test_a_delay_between_two_frames_is_told_by_the_neighbours() -> None:
    lips, late = directions(1), np.roll(directions(1), 3, axis=0)
    both = late + 0.5 * np.roll(late, 1, axis=0) + 0.5 * np.roll(late, -1, axis=0)
    middle = late + np.roll(late, 1, axis=0)
    assert lip_fit(fits(lips, both.astype(np.float32))).offset_frames == pytest.approx(3, abs=0.1)
    assert lip_fit(fits(lips, middle.astype(np.float32))).offset_frames == pytest.approx(3.5, abs=0.1)


def test_lips_that_have_nothing_to_do_with_the_sound_have_no_confidence_and_a_wide_offset() -> None:
    found = lip_fit(fits(directions(1), directions(2)))
    assert found.confidence < 0.15
    assert found.offset_interval is not None
    assert found.offset_interval[1] - found.offset_interval[0] > 4


def test_columns_by_hand() -> None:
    lips, sound = directions(3, 2 * REACH + 2), directions(4, 2 * REACH + 2)
    table = fits(lips, sound)
    assert table.shape == (2, 2 * REACH + 1)
    assert table[1, 0] == pytest.approx(float(lips[REACH + 1] @ sound[1]), abs=1e-6)
    assert table[0, -1] == pytest.approx(float(lips[REACH] @ sound[2 * REACH]), abs=1e-6)


def test_too_few_windows_are_refused() -> None:
    with pytest.raises(ShapeError):
        fits(directions(1, 2 * REACH), directions(1, 2 * REACH))
