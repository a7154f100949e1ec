"""Controls over predicted landmarks: how far the lips part, and how calmly they move.

Amplitude scales what the lips are apart beyond contact, along the person's own opening direction, so that jaw and
corners go with them and closed lips stay closed:

    p' = p + (a - 1)·max(g - c, 0)·o      g mean inner-lip gap, c that of closed lips, o points per unit of gap

Smoothing is a zero-phase Gaussian over time: nothing comes late, but short closures get weaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lipwright.core.contracts import F32, LANDMARKS, Conditions, MotionInfo, MotionModel
from lipwright.core.errors import ConfigError
from lipwright.motion.filters import low_pass, radius
from lipwright.motion.geometry import rotate
from lipwright.motion.lips import gaps_of

AMPLITUDES, SMOOTHINGS_MS = (0.0, 2.0), (0.0, 200.0)


class Retargeted:
    """A motion model whose landmarks are changed after it has spoken.

    For an amplitude it must know how its person's lips part: `opening`, as `CascadeMotion` has it.
    """

    def __init__(self, model: MotionModel, amplitude: float, smoothing_ms: float) -> None:
        self.model, self._amplitude = model, amplitude
        self._sigma = smoothing_ms / 1000 * float(model.info.fps)
        opening: tuple[F32, float] | None = getattr(model, "opening", None)
        if amplitude != 1 and opening is None:
            raise ConfigError("this persona's motion model does not know how its lips part; train it again")
        self._opening = opening

    @property
    def info(self) -> MotionInfo:
        """The model's own, with the frames that smoothing reads."""
        own, more = self.model.info, radius(self._sigma)
        late = own.lookahead_s
        return replace(own, halo=own.halo + more, lookahead_s=None if late is None else late + more / float(own.fps))

    def predict(self, features: Mapping[str, F32], conditions: Conditions) -> F32:
        """(T, 29, 2), see `MotionModel`."""
        points = low_pass(self.model.predict(features, conditions), self._sigma)
        if self._amplitude == 1 or self._opening is None or not len(points):
            return points
        roll = conditions.pose_rad[:, 2]
        upright = rotate(points, -roll)
        direction, closed = self._opening
        apart = np.maximum(gaps_of(upright).mean(axis=1) - closed, 0)
        grown = upright + (self._amplitude - 1) * apart[:, None, None] * direction
        return rotate(grown.astype(np.float32), roll)


def retargeted(model: MotionModel, amplitude: float = 1.0, smoothing_ms: float = 0.0) -> MotionModel:
    """`model` with its landmarks changed; itself where nothing is asked for.

    Args:
        amplitude: 0 to 2; 1 leaves the opening of the lips as predicted, 0 keeps them closed.
        smoothing_ms: deviation of the Gaussian, 0 to 200.
    ConfigError for values outside, and for models that say no landmarks (the renderer hears the speech itself).
    """
    for name, value, (low, high) in (
        ("amplitude", amplitude, AMPLITUDES),
        ("smoothing", smoothing_ms, SMOOTHINGS_MS),
    ):
        if not low <= value <= high:
            raise ConfigError(f"{name} {value:g} is outside [{low:g}, {high:g}]; choose a value inside")
    if amplitude == 1 and smoothing_ms == 0:
        return model
    if model.info.produces != LANDMARKS:
        raise ConfigError(
            "amplitude and smoothing change landmark motion, and this renderer hears the speech itself; "
            "use another renderer (--renderer memory) or leave them out"
        )
    return Retargeted(model, amplitude, smoothing_ms)
