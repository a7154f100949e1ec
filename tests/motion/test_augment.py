"""Other speeds and rooms in training: landmarks go with the speech, tails fall as fast as a room lets them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipwright.motion.augment import augment
from lipwright.motion.batches import Batches, _faster
from lipwright.motion.config import AugmentConfig, MotionConfig
from lipwright.motion.data import MotionClip
from lipwright.motion.statistics import Statistics


@pytest.mark.parametrize("rate", [1, 4])
@pytest.mark.parametrize("speed", [0.9, 1.0, 1.2])
def test_a_clip_is_read_so_much_faster_around_its_middle(rate: int, speed: float) -> None:
    """Rows that say their own time: frame f of any rate is centred on f + 1/2."""
    times = ((np.arange(200 * rate) + 0.5) / rate).astype(np.float32)[:, None]
    wanted, middle = np.arange(80, 100), 89.5
    found = _faster(times, 200, wanted, middle, speed)[:, 0]
    plain = times.reshape(200, rate)[80:100].reshape(-1)
    np.testing.assert_allclose(found - 90, speed * (plain - 90), atol=1e-4)


def test_mouth_and_speech_keep_step_at_any_speed(clip: MotionClip) -> None:
    """In the made-up person the filterbank is the lip opening, so both must still agree frame by frame."""
    config = MotionConfig(batch=12, augment=AugmentConfig(speed=0.2))
    statistics = Statistics.measure([clip], config)
    fast = Batches([clip], statistics, config, seed=0).draw(0)
    plain = Batches([clip], statistics, replace(config, augment=AugmentConfig()), seed=0).draw(0)
    assert np.abs(fast.landmarks - plain.landmarks).max() > 0.1
    for batch in (fast, plain):
        heard = batch.features["logfbank"].mean(axis=2).reshape(12, -1, 4).mean(axis=2)
        opening = batch.landmarks[:, :, 37] - batch.landmarks[:, :, 27]
        assert min(np.corrcoef(a, b)[0, 1] for a, b in zip(heard, opening, strict=True)) > 0.95
    again = Batches([clip], statistics, config, seed=0).draw(0)
    np.testing.assert_array_equal(again.landmarks, fast.landmarks)


def test_a_room_keeps_a_tail_and_never_lowers_anything() -> None:
    rows = np.full((3, 40, 2), -3, np.float32)
    rows[:, 10] = 2
    out = augment(rows, True, 4, AugmentConfig(room_s=0.1), np.random.default_rng(0))
    np.testing.assert_array_equal(out[:, :11], rows[:, :11])
    fall = 13.8 / (0.1 * 100) / 3.0  # a tenth of a second to -60 dB, in rows of 10 ms and deviations
    np.testing.assert_allclose(
        out[:, 11:20, 0], np.maximum(2 - fall * np.arange(1, 10), -3)[None].repeat(3, 0), atol=1e-5
    )
    assert (out >= rows).all()
    np.testing.assert_array_equal(augment(rows, False, 1, AugmentConfig(room_s=1), np.random.default_rng(0)), rows)
