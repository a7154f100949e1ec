"""How sure is a mean over frames? 95 % intervals by a block bootstrap over time.

Neighbouring frames resemble each other, so drawing single frames would make every interval too narrow. Whole
stretches of `BLOCK_S` are drawn instead, wrapped around the end so that every frame counts alike.
Sources: Künsch 1989 (moving blocks); Politis and Romano 1992 (circular blocks).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ShapeError

BLOCK_S = 1.0
"""Length of a drawn stretch: several syllables, so that what is left between stretches is nearly independent."""
LEAST_BLOCKS = 3
"""Below this many blocks no interval is given: three stretches say little about a fourth."""
DRAWS = 1000
LEVEL = 0.95
SEED = 0

Interval = tuple[float, float]
"""(low, high) of the 95 % interval, by percentiles."""
F64 = NDArray[np.float64]


def block_frames(rate_hz: float, block_s: float = BLOCK_S) -> int:
    """Values per block of a series with `rate_hz` values a second; at least 1."""
    return max(1, round(rate_hz * block_s))


def mean_interval(values: NDArray[Any], block: int, seed: int = SEED) -> Interval | None:
    """Interval of the mean of (T,) `values`; values that are not finite are left out first."""
    column = np.asarray(values, dtype=np.float64)
    return interval(column[np.isfinite(column)][:, None], block, lambda m: m[:, 0], seed)


def ratio_interval(top: NDArray[Any], bottom: NDArray[Any], block: int, seed: int = SEED) -> Interval | None:
    """Interval of sum(top) / sum(bottom), both (T,): the frames of both are drawn together."""
    return interval(np.stack([np.asarray(top), np.asarray(bottom)], -1), block, _ratio, seed)


def correlation_interval(a: NDArray[Any], b: NDArray[Any], block: int, seed: int = SEED) -> Interval | None:
    """Interval of the Pearson correlation of two curves (T,); None when one of them does not move."""
    return interval(_moments(a, b), block, _correlation, seed)


def deviation_interval(a: NDArray[Any], b: NDArray[Any], block: int, seed: int = SEED) -> Interval | None:
    """Interval of std(a) / std(b) of two curves (T,)."""
    return interval(_moments(a, b), block, _deviation_ratio, seed)


def interval(
    columns: NDArray[Any], block: int, statistic: Callable[[F64], NDArray[Any]], seed: int = SEED
) -> Interval | None:
    """Interval of a function of column means.

    Args:
        columns: (T, C) values per frame.
        block: frames per block.
        statistic: (N, C) means of N draws to (N,) values; draws that are not finite are left out.
        seed: of the draws; the same for every row, so that two runs agree to the last digit.
    Returns:
        (low, high), or None with fewer than `LEAST_BLOCKS` blocks or hardly any finite draw.
    """
    means = block_means(columns, block, DRAWS, seed)
    if means is None:
        return None
    drawn = np.asarray(statistic(means), dtype=np.float64)
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < DRAWS // 2:
        return None
    low, high = np.percentile(drawn, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)


def block_means(columns: NDArray[Any], block: int, draws: int, seed: int = SEED) -> F64 | None:
    """(draws, C) means of resampled (T, C) columns; None when they hold fewer than `LEAST_BLOCKS` blocks."""
    values = np.asarray(columns, dtype=np.float64)
    if values.ndim != 2:
        raise ShapeError("columns", ("T", "C"), values.shape)
    if len(values) < LEAST_BLOCKS * block:
        return None
    centre = values.mean(axis=0)
    wrapped = np.concatenate([values, values[: block - 1]]) - centre  # centred: sums of blocks keep their digits
    running = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(wrapped, axis=0)])
    sums = running[block:] - running[:-block]
    starts = draw_starts(len(values), block, draws, seed)
    return np.asarray(centre + sums[starts].mean(axis=1) / block, dtype=np.float64)


def draw_starts(n: int, block: int, draws: int, seed: int = SEED) -> NDArray[np.int64]:
    """(draws, ceil(n / block)) first frames of the blocks of each draw."""
    return np.random.default_rng(seed).integers(0, n, (draws, -(-n // block)))


def draw_frames(n: int, block: int, draws: int, seed: int = SEED) -> NDArray[np.int64]:
    """(draws, >= n) frames of each draw, for statistics that are no function of means."""
    starts = draw_starts(n, block, draws, seed)
    return ((starts[..., None] + np.arange(block)) % n).reshape(draws, -1)


def _moments(a: NDArray[Any], b: NDArray[Any]) -> F64:
    x, y = (np.asarray(v, dtype=np.float64) - np.mean(v) for v in (a, b))
    return np.stack([x, y, x * x, y * y, x * y], -1)


def _correlation(m: F64) -> F64:
    x, y, xx, yy, xy = m.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((xy - x * y) / np.sqrt((xx - x * x) * (yy - y * y)))


def _deviation_ratio(m: F64) -> F64:
    x, y, xx, yy, _ = m.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt((xx - x * x) / (yy - y * y)))


def _ratio(m: F64) -> F64:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(m[:, 0] / m[:, 1])
