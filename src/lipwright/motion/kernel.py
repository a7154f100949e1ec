"""Speech to mouth shape in closed form: kernel ridge regression over a tapered window of speech features.

With a minute of footage a network of a million parameters is not the best use of 1500 frames: a Gaussian
kernel on the features around each frame fits in a second and predicts lips that were never filmed about as
well. The cascade is averaged with it (`MotionConfig.kernel_share`), because their errors differ.

    shape(x) = mean + Σ_i k(x, x_i) α_i,   k = Σ_f w_f exp(-‖x_f - z_f‖² / (2 d_f γ)) / Σ_f w_f

x_f is feature f over ±8 frames weighted by a Gaussian, d_f its size. Of a filterbank only the slowest
cosines over its channels count (the shape of the vocal tract without the pitch), each standardised: eight of
26 channels, twenty of 80. Long footage uses evenly spread support frames (subset of regressors), so that cost
and size stay bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32

F64 = NDArray[np.float64]
REACH = 8
"""Frames on each side that a window reads."""
MAX_SUPPORT = 3000
_TAPER = {"logfbank": 2.5, "logmel": 2.5, "cepstra": 3.0, "phones": 3.0}
_CEPSTRA = {"logfbank": 8, "logmel": 20}
_WIDTH = 1.0
_RIDGE = 0.5
_WEIGHT = {"logfbank": 1.0, "logmel": 1.0, "cepstra": 1.0, "phones": 0.5}
"""Of each feature's kernel; voice-independent features weigh less because they are coarser."""


@dataclass(frozen=True)
class KernelShape:
    """A fitted regression from standardised speech features to D numbers per frame."""

    deviation: Mapping[str, F32]
    """name -> standard deviations of what a window holds of the feature per frame."""
    support: Mapping[str, F32]
    """name -> (M, d_f) windows of the support frames."""
    weights: F32
    """(M, D)."""
    bias: F32
    """(D,)."""

    def __call__(self, features: Mapping[str, F32], n_frames: int, only: slice = slice(None)) -> F32:
        """Standardised features {name: (rate·T, dim)} to (T, D), or to those of the frames `only`."""
        rows = windows({name: features[name] for name in self.support}, n_frames, self.deviation, only)
        out: F32 = (_kernel(rows, self.support, self._squares) @ self.weights + self.bias).astype(np.float32)
        return out

    @cached_property
    def _squares(self) -> dict[str, F32]:
        return {name: _squared(z) for name, z in self.support.items()}


def per_frame(name: str, rows: F32, n_frames: int) -> F32:
    """(rate·T, dim) rows of a feature to the (T, c) numbers that describe a frame."""
    mean: F32 = rows.reshape(n_frames, -1, rows.shape[1]).mean(axis=1)
    if name not in _CEPSTRA:
        return mean
    channels = (np.arange(rows.shape[1]) + 0.5) / rows.shape[1]
    cosines = np.cos(np.pi * np.arange(_CEPSTRA[name])[:, None] * channels)
    return (mean @ cosines.T).astype(np.float32)


def windows(
    features: Mapping[str, F32], n_frames: int, deviation: Mapping[str, F32], only: slice = slice(None)
) -> dict[str, F32]:
    """name -> (T, d_f): each frame's description over ±REACH frames, tapered; ends repeat. Of the frames `only`."""
    index = np.arange(n_frames)[only]
    out = {}
    for name, rows in features.items():
        taper = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / _TAPER.get(name, 2.0)) ** 2)
        taper = (taper / np.sqrt((taper**2).mean())).astype(np.float32)
        frames = per_frame(name, rows, n_frames) / deviation[name]
        out[name] = np.concatenate(
            [frames[np.clip(index + k - REACH, 0, n_frames - 1)] * w for k, w in enumerate(taper)], axis=1
        )
    return out


def fit_kernel(
    rows: Mapping[str, F32], values: F32, deviation: Mapping[str, F32], ridge: float = _RIDGE
) -> KernelShape:
    """Fit (N, D) values on the `windows` of their frames."""
    n = len(values)
    chosen = np.linspace(0, n - 1, min(n, MAX_SUPPORT)).astype(int)
    support = {name: np.ascontiguousarray(r[chosen]) for name, r in rows.items()}
    mean = values.mean(axis=0, dtype=np.float64)
    centre = values.astype(np.float64) - mean
    if len(chosen) == n:
        gram = _kernel(support, support).astype(np.float64)
        weights = np.linalg.solve(gram + ridge * np.eye(n), centre)
    else:
        weights = _few(rows, support, centre, ridge)
    return KernelShape(dict(deviation), support, weights.astype(np.float32), mean.astype(np.float32))


def held_out(rows: Mapping[str, F32], values: F32, folds: int = 5, gap: int = 12) -> F32:
    """(N, D) predictions of every frame from the other folds: what the regression says of unheard speech."""
    n = len(values)
    index = np.arange(n)
    out = np.zeros_like(values)
    for part in np.array_split(index, folds):
        rest = (index < part[0] - gap) | (index > part[-1] + gap)
        if len(part) == 0 or not rest.any():
            continue
        fitted = fit_kernel({name: r[rest] for name, r in rows.items()}, values[rest], {})
        out[part] = _kernel({k: r[part] for k, r in rows.items()}, fitted.support) @ fitted.weights + fitted.bias
    return out


def _few(rows: Mapping[str, F32], support: Mapping[str, F32], centre: F64, ridge: float) -> F64:
    """Normal equations of the subset of regressors, summed over blocks of frames."""
    m, block = len(next(iter(support.values()))), 4096
    gram = ridge * _kernel(support, support).astype(np.float64) + 1e-6 * np.eye(m)
    right = np.zeros((m, centre.shape[1]))
    for start in range(0, len(centre), block):
        k = _kernel({name: r[start : start + block] for name, r in rows.items()}, support).astype(np.float64)
        gram += k.T @ k
        right += k.T @ centre[start : start + block]
    return np.linalg.solve(gram, right)


def _kernel(a: Mapping[str, F32], b: Mapping[str, F32], squares: Mapping[str, F32] | None = None) -> F32:
    """(N, M) of two sets of windows; `squares` are (M,) squared lengths of `b`, where they are known."""
    total: F32 | None = None
    weight = 0.0
    for name, x in a.items():
        z, share = b[name], _WEIGHT.get(name, 1.0)
        near = x @ z.T  # worked on in place: a stream does this for every other frame
        near *= -2
        near += _squared(x)[:, None]
        near += (_squared(z) if squares is None else squares[name])[None]
        np.maximum(near, 0, out=near)
        near *= -1 / (2 * _WIDTH * x.shape[1])
        np.exp(near, out=near)
        near *= share
        total = near if total is None else np.add(total, near, out=total)
        weight += share
    assert total is not None
    total /= weight
    return total


def _squared(x: F32) -> F32:
    out: F32 = np.einsum("nd,nd->n", x, x)
    return out
