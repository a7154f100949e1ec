from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from lipwright.core.errors import ShapeError
from lipwright.metrics import bootstrap as b


def correlated(n: int, seed: int, memory: float = 0.8) -> np.ndarray:
    """Mean 0, correlated over about five frames."""
    return lfilter([1], [1, -memory], np.random.default_rng(seed).normal(size=n + 100))[100:]


def test_intervals_hold_the_truth_about_95_times_in_a_hundred_although_frames_are_correlated() -> None:
    hits, naive = [], []
    for seed in range(120):
        values = correlated(1000, seed)
        low, high = b.mean_interval(values, 25) or (9, 9)
        hits.append(low <= 0 <= high)
        low, high = b.mean_interval(values, 1) or (9, 9)
        naive.append(low <= 0 <= high)
    assert 0.89 < np.mean(hits) < 0.98
    assert np.mean(naive) < 0.6  # what drawing single frames would claim


def test_the_interval_of_independent_values_is_the_textbooks() -> None:
    values = np.random.default_rng(0).normal(5, 2, 4000)
    low, high = b.mean_interval(values, 1) or (0, 0)
    assert high - low == pytest.approx(2 * 1.96 * 2 / np.sqrt(4000), rel=0.1)
    assert low < values.mean() < high


def test_draws_are_the_same_every_time_and_every_frame_counts_alike() -> None:
    values = correlated(200, 1)
    assert b.mean_interval(values, 25) == b.mean_interval(values, 25)
    assert b.mean_interval(values, 25) != b.mean_interval(values, 25, seed=1)
    frames = b.draw_frames(40, 8, 5000)
    assert np.bincount(frames.ravel()).std() < 0.03 * frames.size / 40
    means = b.block_means(values[:, None], 8, 50)
    assert means is not None
    assert means[7, 0] == pytest.approx(values[b.draw_frames(200, 8, 50)[7]].mean())


def test_ratios_correlations_and_deviations() -> None:
    rng = np.random.default_rng(3)
    bottom = rng.uniform(1, 2, 500)
    assert b.ratio_interval(3 * bottom, bottom, 25) == pytest.approx((3, 3))
    x = correlated(500, 4)
    low, high = b.correlation_interval(x, x + rng.normal(0, x.std(), 500), 25) or (0, 0)
    assert low < np.sqrt(0.5) < high
    assert high - low < 0.4
    assert b.correlation_interval(x, 2 * x, 25) == pytest.approx((1, 1))
    assert b.deviation_interval(2 * x, x, 25) == pytest.approx((2, 2))
    assert b.correlation_interval(x, np.zeros(500), 25) is None


def test_short_clips_get_no_interval() -> None:
    assert b.mean_interval(np.arange(74), 25) is None
    assert b.mean_interval(np.arange(75), 25) is not None
    assert b.mean_interval(np.array([]), 1) is None
    assert b.mean_interval(np.array([1, np.nan, 3, 5]), 1) is not None
    assert b.block_frames(25.0) == 25
    assert b.block_frames(0.1) == 1
    with pytest.raises(ShapeError):
        b.block_means(np.zeros(5), 1, 3)
