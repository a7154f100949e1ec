"""Where the head puts the mouth, told from pose and cheeks without hearing or seeing what it says.

The paper's cheek points lie near the jaw and move with it, so a network that sees them learns to read the
template's own mouth from them: over other speech the result then follows the template. Here the location is
linear in the conditions and its directions are chosen to ignore what speech moves:

    minimise  ‖y - c·L - a·M‖²  +  λ ‖ D·L ‖²

with y the landmarks, c the conditions, a the articulation *predicted from the speech alone* on frames it was
not fitted on, and D the regression of the conditions on a. The term a·M keeps speech out of L where both
explain y; the penalty takes out of L the part of c that speech explains. `a` comes from sound, so head motion
that merely coincides with an open mouth is not taken for articulation (an instrumental variable).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, Conditions
from lipwright.motion.filters import low_pass
from lipwright.motion.geometry import projection_rows

F64 = NDArray[np.float64]
_RIDGE = 1e-3
_SLOW_FRAMES = 12.5
"""What is slower than about a second is head motion or habit, not syllables."""


@dataclass(frozen=True)
class Location:
    """landmarks = bias + ((conditions - mean) / std) @ weights."""

    mean: F32
    """(22,) of the conditions: six projection entries, then 16 cheek numbers."""
    std: F32
    """(22,)."""
    weights: F32
    """(22, 58)."""
    bias: F32
    """(58,)."""

    def __call__(self, conditions: Conditions) -> F32:
        """(T, 58) landmarks of a mouth at rest in every frame's pose."""
        rows = (inputs(conditions) - self.mean) / self.std
        return (rows @ self.weights + self.bias).astype(np.float32)


def inputs(conditions: Conditions) -> F32:
    """(T, 22): what pose and cheeks give a linear model."""
    flat = conditions.cheeks.reshape(len(conditions.cheeks), -1)
    return np.concatenate([projection_rows(conditions.pose_rad), flat], axis=1).astype(np.float32)


def fit_location(
    conditions: F32, landmarks: F32, articulation: F32, groups: NDArray[np.int64], leak_penalty: float
) -> Location:
    """Fit on training frames.

    Args:
        conditions: (N, 22) from `inputs`; landmarks: (N, 58).
        articulation: (N, k) predicted from speech, see `speech_articulation`.
        groups: (N,) stretch of each frame; filters do not run over their borders.
        leak_penalty: λ above.
    """
    mean, std = conditions.mean(axis=0), conditions.std(axis=0) + 1e-6
    c = ((conditions - mean) / std).astype(np.float64)
    a = articulation.astype(np.float64)
    a = (a - a.mean(axis=0)) / (a.std(axis=0) + 1e-9)
    y = landmarks.astype(np.float64) - landmarks.mean(axis=0)
    n, k = c.shape[1], a.shape[1]
    leak = _ridge(_fast(a, groups), _fast(c, groups))
    both = np.concatenate([c, a], axis=1)
    gram = both.T @ both / len(y) + _RIDGE * np.eye(n + k)
    gram[:n, :n] += leak_penalty * leak.T @ leak
    solved = np.linalg.solve(gram, both.T @ y / len(y))
    return Location(
        mean.astype(np.float32), std.astype(np.float32), solved[:n].astype(np.float32),
        landmarks.mean(axis=0).astype(np.float32),
    )  # fmt: skip


def speech_articulation(
    speech: F32, mouths: F32, groups: NDArray[np.int64], components: int = 3, folds: int = 5
) -> F32:
    """(N, components) of the centred mouth shape as speech alone predicts it, each fold from the others.

    Args:
        speech: (N, F) features of every frame and its neighbours.
        mouths: (N, 40) mouth points in coordinates without roll.
        groups: (N,) stretch of each frame.
    """
    points = mouths.reshape(len(mouths), -1, 2).astype(np.float64)
    flat = _fast((points - points.mean(axis=1, keepdims=True)).reshape(len(mouths), -1), groups)
    _, _, rows = np.linalg.svd(flat, full_matrices=False)
    shape = flat @ rows[:components].T
    x = (speech - speech.mean(axis=0)) / (speech.std(axis=0) + 1e-6)
    out = np.zeros_like(shape)
    for part in np.array_split(np.arange(len(x)), folds):
        rest = np.setdiff1d(np.arange(len(x)), part)
        out[part] = x[part] @ _ridge(x[rest].astype(np.float64), shape[rest], 0.3)
    return out.astype(np.float32)


def _fast(rows: NDArray[np.floating], groups: NDArray[np.int64]) -> F64:
    """What changes faster than about a second."""
    out = np.array(rows, np.float64)
    for group in np.unique(groups):
        where = groups == group
        out[where] -= low_pass(rows[where].astype(np.float32), _SLOW_FRAMES)
    return out


def _ridge(x: F64, y: F64, strength: float = _RIDGE) -> F64:
    gram = x.T @ x / len(x)
    solved: F64 = np.linalg.solve(gram + strength * np.eye(len(gram)), x.T @ y / len(x))
    return solved
