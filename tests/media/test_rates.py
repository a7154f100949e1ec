"""Which footage has a variable rate, and what constant one it is put on."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest

from lipwright.media.probe import probe
from lipwright.media.rates import grid_of, varies
from lipwright.media.video import VideoReader

Clip = Callable[..., Path]


@pytest.mark.parametrize(
    ("mean", "grid"),
    [(10, 24), (F(221, 10), 24), (F("24.4"), 24), (F("24.6"), 25), (F("25.5"), 25), (F("25.6"), 30), (F("29.3"), 30),
     (31, 50), (F("58.9"), 60), (61, 60), (F("61.5"), 62), (90, 90), (F("119.6"), 120)],
)  # fmt: skip
def test_the_grid_of_a_mean_rate(mean: F, grid: int) -> None:
    assert grid_of(F(mean)) == grid


def test_rounding_jitter_and_one_missing_frame_are_not_variable() -> None:
    ms = F(1, 1000)
    ntsc = [F(round(i * 1001 / 30)) * ms for i in range(300)]
    assert not varies(ntsc, ms)
    assert not varies(ntsc[:100] + ntsc[101:], ms)
    assert varies([t for i, t in enumerate(ntsc) if i % 10], ms)
    rng = np.random.default_rng(0)
    assert varies(np.cumsum([F(int(s), 1000) for s in rng.choice([25, 33, 50], 100)]).tolist(), ms)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts"])
@pytest.mark.parametrize("bframes", [0, 2])
def test_probe_tells_variable_from_constant(clip: Clip, suffix: str, bframes: int) -> None:
    constant = probe(clip(f"c.{suffix}", n=60, fps=F(30_000, 1001), bframes=bframes)).video
    assert constant is not None
    assert not constant.variable
    rng = np.random.default_rng(1)
    times = np.concatenate([[0], np.cumsum(rng.choice([33, 42, 67], 59))])
    variable = probe(clip(f"v.{suffix}", n=60, times_s=[F(int(t), 1000) for t in times], bframes=bframes)).video
    assert variable is not None
    assert variable.variable


def test_variable_footage_is_read_on_a_common_grid(clip: Clip) -> None:
    times = [F(t, 1000) for t in np.concatenate([[0], np.cumsum([33, 67, 50, 33, 67, 50] * 10)]).tolist()]
    with VideoReader(clip("v.mkv", n=61, times_s=times, bframes=0)) as reader:
        assert reader.fps == 24  # the mean is 20
        assert abs(len(list(reader)) - times[-1] * 24) <= 3
