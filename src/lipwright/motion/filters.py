"""Zero-phase low-pass over time, exact for chunks: a truncated Gaussian, ends repeated."""

from __future__ import annotations

import numpy as np

from lipwright.core.contracts import F32


def radius(sigma_frames: float) -> int:
    """Frames on each side that the low-pass reads; beyond 2.5 deviations weights are negligible."""
    return int(np.ceil(2.5 * sigma_frames)) if sigma_frames > 0 else 0


def low_pass(rows: F32, sigma_frames: float) -> F32:
    """(T, …) smoothed along time with a Gaussian of `sigma_frames`; 0 returns the rows as they are."""
    half = radius(sigma_frames)
    if half == 0 or len(rows) == 0:
        return rows
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma_frames) ** 2)
    weights /= weights.sum()
    flat = np.pad(rows.reshape(len(rows), -1), ((half, half), (0, 0)), mode="edge").astype(np.float64)
    out = np.zeros((len(rows), flat.shape[1]))
    for k, weight in enumerate(weights):
        out += weight * flat[k : k + len(rows)]
    return out.reshape(rows.shape).astype(np.float32)
