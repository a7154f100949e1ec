"""Levels block by block: the same as in one piece, at the right time, without keeping the sound."""

from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.subject.levels import LEVEL_RATE, N_BANDS, LevelMeter, band_levels

RATES = [8000, 11_025, 16_000, 22_050, 44_100, 48_000]


def speechlike(seconds: float, rate: int = 16_000) -> np.ndarray:
    rng = np.random.default_rng(0)
    n = int(seconds * rate)
    steps = rng.uniform(0, 1, n // 2000 + 2)
    swell = np.interp(np.arange(n) / 2000, np.arange(len(steps)), steps)
    return (0.2 * swell * rng.normal(size=n)).astype(np.float32)


@pytest.mark.parametrize("size", [1, 79, 160, 400, 1601, 16_000, 33_333])
def test_any_blocks_give_the_levels_of_the_whole(size: int) -> None:
    sound = speechlike(2.345)
    meter = LevelMeter()
    for a in range(0, len(sound), size):
        meter.add(sound[a : a + size])
    assert meter.n_samples == len(sound)
    np.testing.assert_array_equal(meter.levels(), band_levels(sound))


@pytest.mark.parametrize("rate", RATES)
def test_one_row_per_ten_milliseconds_at_any_sample_rate(rate: int) -> None:
    sound = speechlike(3.21, rate)
    meter = LevelMeter(rate)
    for block in np.array_split(sound, 5):
        meter.add(block)
    assert len(meter.levels()) == len(sound) * LEVEL_RATE // rate
    np.testing.assert_array_equal(meter.levels(), band_levels(sound, rate))


@pytest.mark.parametrize("rate", RATES)
def test_a_burst_is_seen_when_it_sounds(rate: int) -> None:
    """Also after 40 s at rates that are no multiple of 100 Hz."""
    t = np.arange(41 * rate) / rate
    burst = np.where((t >= 40) & (t < 40.1), np.sin(2 * np.pi * 1000 * t), 0)
    sound = (burst + 0.01 * np.random.default_rng(0).normal(size=len(t))).astype(np.float32)
    level = band_levels(sound, rate)
    near = slice(3985, 4025)
    height = level[near] - np.median(level)
    height[height < 0.3 * height.max()] = 0  # the noise around it
    centre = (np.arange(3985, 4025) + 0.5) @ height / height.sum() / LEVEL_RATE
    assert centre == pytest.approx(40.05, abs=0.0015)


def test_more_may_be_added_after_asking() -> None:
    sound = speechlike(2)
    meter = LevelMeter()
    meter.add(sound[:20_001])
    np.testing.assert_array_equal(meter.levels(), band_levels(sound[:20_001]))
    meter.add(sound[20_001:])
    np.testing.assert_array_equal(meter.levels(), band_levels(sound))


def test_an_hour_is_kept_as_a_few_numbers_per_row() -> None:
    meter = LevelMeter()
    block = speechlike(1)
    for _ in range(30):
        meter.add(block)
    kept = sum(power.nbytes for power in meter._power) + meter._waiting.nbytes
    assert kept < 30 * LEVEL_RATE * N_BANDS * 4 + 4000


def test_silence_and_nothing() -> None:
    assert not band_levels(np.zeros(16_000, np.float32)).any()
    assert len(band_levels(np.zeros(0, np.float32))) == 0
    assert len(band_levels(np.zeros(159, np.float32))) == 0
    assert len(band_levels(speechlike(0.02)[:161])) == 1


def test_loudness_only_moves_the_level() -> None:
    sound = speechlike(2)
    quiet = band_levels(0.1 * sound)
    np.testing.assert_allclose(band_levels(sound) - quiet, np.log(100), atol=1e-4)


def test_shapes() -> None:
    with pytest.raises(ShapeError):
        LevelMeter().add(np.zeros((10, 2)))
