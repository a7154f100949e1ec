"""A mouth at rest in silence for networks that see everything at once: they have no shape of their own to rest in.

Where the head puts a resting mouth comes from the same blind location that `separate` models have (pose and cheeks,
ignoring what speech moves), its shape from the person's own silent footage. In pauses the network's landmarks give way
to it, eased over three frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, Conditions
from lipwright.motion.config import MotionConfig
from lipwright.motion.geometry import rotate
from lipwright.motion.location import Location
from lipwright.motion.separate import LOCATION, fit_separate

_SMOOTHING_S, _LEAK_PENALTY = 0.3, 1.0


@dataclass(frozen=True)
class Resting:
    """How one person's mouth rests."""

    location: Location
    shape: F32
    """(58,) with the head upright, without location."""

    def __call__(self, landmarks: F32, held: Conditions, silence: F32) -> F32:
        """(T, 29, 2) at rest where (T,) `silence` is 1, as they are where it is 0."""
        upright = np.broadcast_to(self.shape.reshape(1, -1, 2), landmarks.shape)
        rest = rotate(upright, held.pose_rad[:, 2]) + self.location(held).reshape(landmarks.shape)
        out: F32 = (landmarks + silence[:, None, None] * (rest - landmarks)).astype(np.float32)
        return out


def fit_resting(
    features: Sequence[Mapping[str, F32]],
    landmarks: Sequence[F32],
    conditions: Sequence[Conditions],
    seen: NDArray[np.bool_],
    silence: F32,
    config: MotionConfig,
) -> Resting:
    """Fit on training stretches; arguments as `separate.fit_separate`."""
    alone = replace(
        config, separate=True, condition_smoothing_s=_SMOOTHING_S, leak_penalty=_LEAK_PENALTY, amplitude=0.0
    )
    parts = fit_separate(features, landmarks, conditions, seen, silence, alone)
    assert parts.rest is not None
    return Resting(parts.location, parts.rest)


def resting_arrays(resting: Resting) -> dict[str, F32]:
    """All arrays by name, for a checkpoint."""
    arrays = {f"resting.{name}": getattr(resting.location, name) for name in LOCATION}
    smoothing = np.array([resting.location.smoothing], np.float32)
    return arrays | {"resting.shape": resting.shape, "resting.smoothing": smoothing}


def resting_from(read: Callable[[str], F32]) -> Resting:
    """The inverse; `read` gives an array by name and raises KeyError for an unknown one."""
    mean, std, slow, fast, bias = (read(f"resting.{name}") for name in LOCATION)
    location = Location(mean, std, slow, fast, bias, float(read("resting.smoothing").item()))
    return Resting(location, read("resting.shape"))
