"""Another sample rate while the sound is coming."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import resample_poly

from lipwright.core.contracts import F32
from lipwright.core.errors import SpeechError
from lipwright.media.resample import Resampler


def cut(samples: F32, seed: int) -> list[F32]:
    rng, parts = np.random.default_rng(seed), []
    while len(samples):
        n = int(rng.integers(1, 900))
        parts.append(samples[:n])
        samples = samples[n:]
    return parts


@pytest.mark.parametrize(("rate", "up", "down"), [(8000, 2, 1), (24_000, 2, 3), (44_100, 160, 441), (48_000, 1, 3)])
def test_any_pieces_give_the_samples_of_the_whole(rate: int, up: int, down: int) -> None:
    samples = np.random.default_rng(0).normal(0, 0.2, rate // 2 + 17).astype(np.float32)
    made = []
    for seed in (1, 2):
        resampler = Resampler(rate)
        made.append(np.concatenate([*(resampler(part) for part in cut(samples, seed)), resampler.finish()]))
    np.testing.assert_array_equal(made[0], made[1])
    wanted = resample_poly(samples.astype(np.float64), up, down)
    assert abs(len(made[0]) - len(wanted)) <= 1
    n = min(len(made[0]), len(wanted))
    np.testing.assert_allclose(made[0][:n], wanted[:n], atol=1e-6)


def test_little_is_held_back() -> None:
    resampler = Resampler(48_000)
    assert len(resampler(np.ones(4800, np.float32))) > 1600 - 16 * 12


@pytest.mark.parametrize("rate", [10, 10**6])
def test_rates_that_are_none(rate: int) -> None:
    with pytest.raises(SpeechError, match="samples a second"):
        Resampler(rate)
