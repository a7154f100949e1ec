"""The studio behind the presenter: soft gradient, blurred panels and lamps out of focus."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from lipwright.core.contracts import F32


def studio(size: int, seed: int) -> F32:
    """(size, size, 3) linear light, the same picture at every size."""
    work = 512
    rng = np.random.default_rng([seed, 11])
    y, x = np.mgrid[0:work, 0:work].astype(np.float32) / work
    glow = np.exp(-((x - 0.62) ** 2 / 0.16 + (y - 0.38) ** 2 / 0.22))
    base = np.array([0.030, 0.052, 0.086], np.float32) + glow[..., None] * np.array([0.050, 0.085, 0.130], np.float32)
    at = 0.0
    while at < 1.0:
        width = float(rng.uniform(0.05, 0.16))
        inside = ((x >= at) & (x < at + width - 0.012)).astype(np.float32)
        tone = rng.uniform(0.6, 1.7) * np.array([1.0, 1.0 + 0.1 * rng.random(), 1.0 + 0.2 * rng.random()], np.float32)
        base = base * (1 + inside[..., None] * (tone - 1) * (0.35 + 0.65 * (1 - y[..., None])))
        at += width
    for _ in range(7):
        cx, cy, r = rng.uniform(0, 1), rng.uniform(0.0, 0.5), rng.uniform(0.008, 0.022)
        disc = 0.5 - 0.5 * np.tanh((np.hypot(x - cx, y - cy) - r) * 110)
        warm = np.array([1.0, 0.78, 0.52], np.float32) if rng.random() < 0.6 else np.array([0.6, 0.8, 1.0], np.float32)
        base = base + disc[..., None] * warm * np.float32(rng.uniform(0.05, 0.16))
    base = gaussian_filter(base, (9, 9, 0))
    grid = (np.arange(size) + 0.5) * work / size - 0.5
    return _bilinear(base.astype(np.float32), grid)


def _bilinear(image: F32, grid: np.ndarray) -> F32:
    at = np.clip(grid, 0, len(image) - 1.001)
    low, share = at.astype(int), (at % 1).astype(np.float32)
    rows = image[low] * (1 - share)[:, None, None] + image[low + 1] * share[:, None, None]
    return np.asarray(rows[:, low] * (1 - share)[:, None] + rows[:, low + 1] * share[:, None], np.float32)
