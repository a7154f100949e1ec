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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, Conditions
from lipwright.motion.filters import low_pass
from lipwright.motion.geometry import projection_rows
from lipwright.motion.kernel import held_out
from lipwright.motion.scores import N_MOUTH

F64 = NDArray[np.float64]
_RIDGE = 1e-2
_POSE = 6
_SLOW_FRAMES = 12.5
"""What is slower than about a second is head motion or habit, not syllables."""


@dataclass(frozen=True)
class Location:
    """Landmarks of a mouth at rest in every frame's pose.

    Pose and what cheeks do slowly may reshape the mouth (turning, foreshortening); what cheeks do fast only
    carries it along as a whole, so that no syllable of the template can open it.
    """

    mean: F32
    """(22,) of the conditions: six projection entries, then 16 cheek numbers."""
    std: F32
    """(22,)."""
    slow: F32
    """(22, 58) weights of pose and smoothed cheeks."""
    fast: F32
    """(22, 2) weights of the rest of the cheeks: one shift of all points."""
    bias: F32
    """(58,)."""
    smoothing: float
    """Deviation of the low-pass that parts slow from fast, in frames."""

    def __call__(self, conditions: Conditions) -> F32:
        """(T, 58)."""
        rows = (inputs(conditions) - self.mean) / self.std
        slow = _slow(rows, self.smoothing)
        shift = np.tile((rows - slow) @ self.fast, (1, self.slow.shape[1] // 2))
        return (slow @ self.slow + shift + self.bias).astype(np.float32)


def _slow(rows: F32, smoothing: float) -> F32:
    """Pose as it is, cheeks smoothed: pose comes from points that do not move with speech, cheeks do."""
    return np.concatenate([rows[:, :_POSE], low_pass(rows[:, _POSE:], smoothing)], axis=1)


def inputs(conditions: Conditions) -> F32:
    """(T, 22): what pose and cheeks give a linear model."""
    flat = conditions.cheeks.reshape(len(conditions.cheeks), -1)
    return np.concatenate([projection_rows(conditions.pose_rad), flat], axis=1).astype(np.float32)


def fit_location(
    stretches: Sequence[Conditions],
    seen: NDArray[np.bool_],
    landmarks: F32,
    articulation: F32,
    leak_penalty: float,
    smoothing: float,
) -> Location:
    """Fit on training stretches.

    Args:
        stretches: conditions of each stretch; seen: (N,) which of all their frames show a face.
        landmarks: (n, 58) and articulation: (n, k), see `speech_articulation`, of the n frames seen.
        leak_penalty: λ above.
        smoothing: deviation of the low-pass in frames.
    """
    raw = [inputs(c) for c in stretches]
    together = np.concatenate(raw)[seen]
    mean, std = together.mean(axis=0), together.std(axis=0) + 1e-6
    scaled = [(r - mean) / std for r in raw]
    slow = np.concatenate([_slow(r, smoothing) for r in scaled])[seen].astype(np.float64)
    fast = np.concatenate(scaled)[seen].astype(np.float64) - slow
    a = articulation.astype(np.float64)
    a = (a - a.mean(axis=0)) / (a.std(axis=0) + 1e-9)
    bias = landmarks.mean(axis=0, dtype=np.float64)
    slow_weights = _blind(slow, a, landmarks - bias, leak_penalty) @ _rigid_moves(bias)
    rest = (landmarks - bias - slow @ slow_weights).reshape(len(landmarks), -1, 2)
    fast_weights = _blind(fast, a, rest.mean(axis=1), leak_penalty) if smoothing > 0 else np.zeros((len(mean), 2))
    return Location(
        mean, std, slow_weights.astype(np.float32), fast_weights.astype(np.float32), bias.astype(np.float32),
        smoothing,
    )  # fmt: skip


def _rigid_moves(mean: F64) -> F64:
    """(58, 58) projector on what turning a head does to its mean mouth and jaw in a picture.

    Affine maps (scale, shear, foreshortening) and a bend in x (lips curve around the teeth), for mouth and
    jaw each. Upper and lower lip cannot part.
    """
    points = mean.reshape(-1, 2) - mean.reshape(-1, 2)[:N_MOUTH].mean(axis=0)
    out = np.zeros((len(mean), len(mean)))
    for part in (np.arange(N_MOUTH), np.arange(N_MOUTH, len(points))):
        x, y = points[part].T
        moves = np.stack([np.ones_like(x), x, y, x**2], axis=1)
        projector = moves @ np.linalg.pinv(moves)
        for axis in (0, 1):
            out[np.ix_(2 * part + axis, 2 * part + axis)] = projector
    return out


def _blind(c: F64, a: F64, y: F64, leak_penalty: float) -> F64:
    """L of the module's equation: y from c, blind to what of c follows a."""
    n, k = c.shape[1], a.shape[1]
    leak = _ridge(a, c)
    both = np.concatenate([c, a], axis=1)
    gram = both.T @ both / len(y) + _RIDGE * np.eye(n + k)
    gram[:n, :n] += leak_penalty * leak.T @ leak
    solved: F64 = np.linalg.solve(gram, both.T @ y / len(y))
    return solved[:n]


def speech_articulation(windows: Mapping[str, F32], mouths: F32, groups: NDArray[np.int64], components: int = 3) -> F32:
    """(N, components) of the centred mouth shape as speech alone predicts it on frames it was not fitted on.

    Args:
        windows: speech around each frame, from `kernel.windows`.
        mouths: (N, 20, 2) mouth points in coordinates without roll.
        groups: (N,) stretch of each frame.
    """
    centred = mouths - mouths.mean(axis=1, keepdims=True)
    flat = _fast(centred.reshape(len(mouths), -1), groups)
    _, _, rows = np.linalg.svd(flat, full_matrices=False)
    return held_out(windows, (flat @ rows[:components].T).astype(np.float32))


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
