"""Changes of standardised speech features in training: other voices, microphones and gaps.

Filterbank channels get a common gain, a smooth equaliser curve, a stretch of the channel axis (another vocal
tract length: formants move, and with them what 26 broad bands show of pitch), the tail of a room and masked bands
(SpecAugment, Park et al. 2019); every feature gets noise and masked stretches. Speed changes where clips are cut
(`batches`), because landmarks must go with it.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from lipwright.core.contracts import F32
from lipwright.motion.config import AugmentConfig

_DB60 = 13.8
"""60 dB as natural logarithm of energy."""
_DEVIATION = 3.0
"""Of the logarithm of a channel's energy in speech, about: rows are standardised."""


def augment(rows: F32, fast: bool, per_frame: int, config: AugmentConfig, rng: Generator) -> F32:
    """Changed copy of a batch (B, rate·T, D); `fast` marks filterbank channels, ordered by frequency."""
    out = rows.astype(np.float32, copy=True)
    if fast:
        if config.warp > 0:
            out = _warp(out, config.warp, rng)
        if config.room_s > 0:
            _room(out, config.room_s, 4, rng)
        batch, _, channels = out.shape
        if config.gain > 0:
            out += rng.normal(0, config.gain, (batch, 1, 1)).astype(np.float32)
        if config.equaliser > 0:
            out += _curves(batch, channels, config.equaliser, rng)[:, None]
        if config.channel_mask > 0:
            _mask(out, 2, config.channel_mask, rng)
    if config.time_mask > 0:
        _mask(out, 1, config.time_mask * per_frame, rng)
    if config.noise > 0:
        out += rng.normal(0, config.noise, out.shape).astype(np.float32)
    return out


def _warp(rows: F32, largest: float, rng: Generator) -> F32:
    """Channel d of item b takes its value from channel d·f of the same row, f drawn once per item."""
    batch, _, channels = rows.shape
    factors = 1 + rng.uniform(-largest, largest, batch)
    where = np.clip(np.arange(channels)[None] * factors[:, None], 0, channels - 1)
    low = np.minimum(where.astype(np.int64), channels - 2)
    share = (where - low).astype(np.float32)[:, None]
    below = np.take_along_axis(rows, low[:, None], axis=2)
    above = np.take_along_axis(rows, low[:, None] + 1, axis=2)
    return below * (1 - share) + above * share


def _room(rows: F32, longest_s: float, per_frame: int, rng: Generator) -> None:
    """Let no channel fall faster than a room of 0.1 s to `longest_s` would: energies decay by 60 dB in that time."""
    seconds = rng.uniform(0.1, max(longest_s, 0.1), len(rows)).astype(np.float32)
    fall = (_DB60 / (seconds * 25 * per_frame) / _DEVIATION)[:, None]
    for t in range(1, rows.shape[1]):
        np.maximum(rows[:, t], rows[:, t - 1] - fall, out=rows[:, t])


def _curves(batch: int, channels: int, deviation: float, rng: Generator) -> F32:
    """(B, D) sums of the three slowest cosines over the channels."""
    axis = (np.arange(channels) + 0.5) / channels
    waves = np.cos(np.pi * np.arange(1, 4)[:, None] * axis)
    curves = rng.normal(0, deviation * np.sqrt(2 / 3), (batch, 3)) @ waves
    return curves.astype(np.float32)


def _mask(rows: F32, axis: int, widest: int, rng: Generator) -> None:
    """Zero (the mean) a stretch along `axis`, width uniform from 0 to `widest`; half the items are spared."""
    for item in rows:
        if rng.random() < 0.5:
            continue
        width = int(rng.integers(0, min(widest, item.shape[axis - 1]) + 1))
        start = int(rng.integers(0, item.shape[axis - 1] - width + 1))
        if axis == 1:
            item[start : start + width] = 0
        else:
            item[:, start : start + width] = 0
