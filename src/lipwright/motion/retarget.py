"""Controls over predicted motion: how far the lips part, and how calmly they move.

Amplitude scales what the lips are apart beyond contact, along the person's own opening direction, so that jaw and
corners go with them and closed lips stay closed:

    p' = p + (a - 1)·max(g - c, 0)·o      g mean inner-lip gap, c that of closed lips, o points per unit of gap

Smoothing is a zero-phase Gaussian over time: nothing comes late, but short closures get weaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, runtime_checkable

from lipwright.core.contracts import F32, Conditions, MotionInfo, MotionModel
from lipwright.core.errors import ConfigError
from lipwright.motion.filters import low_pass, radius
from lipwright.motion.window import SpeechWindow

AMPLITUDES, SMOOTHINGS_MS = (0.0, 2.0), (0.0, 200.0)


@runtime_checkable
class Widened(Protocol):
    """A motion model whose lips can be told how far to part."""

    @property
    def knows_opening(self) -> bool:
        """Whether it was measured how this person's lips part."""

    def widened(self, said: F32, conditions: Conditions, amplitude: float) -> F32:
        """What it said, with the opening of the lips beyond contact times `amplitude`; it must be known."""


class Retargeted:
    """A motion model whose movement is changed after it has spoken."""

    def __init__(self, model: MotionModel, amplitude: float, smoothing_ms: float) -> None:
        self.model, self._amplitude = model, amplitude
        self._sigma = smoothing_ms / 1000 * float(model.info.fps)

    @property
    def info(self) -> MotionInfo:
        """The model's own, with the frames that smoothing reads."""
        own, more = self.model.info, radius(self._sigma)
        late = own.lookahead_s
        return replace(own, halo=own.halo + more, lookahead_s=None if late is None else late + more / float(own.fps))

    def predict(self, features: Mapping[str, F32], conditions: Conditions) -> F32:
        """(T, 29, 2) or (T, E), see `MotionModel`."""
        said = low_pass(self.model.predict(features, conditions), self._sigma)
        if self._amplitude == 1 or not len(said):
            return said
        assert isinstance(self.model, Widened)
        return self.model.widened(said, conditions, self._amplitude)


def retargeted(model: MotionModel, amplitude: float = 1.0, smoothing_ms: float = 0.0) -> MotionModel:
    """`model` with its motion changed; itself where nothing is asked for.

    Args:
        amplitude: 0 to 2; 1 leaves the opening of the lips as predicted, 0 keeps them closed.
        smoothing_ms: deviation of the Gaussian, 0 to 200.
    ConfigError for values outside, and for models that say nothing of the lips (the renderer hears the speech itself).
    """
    for name, value, (low, high) in (
        ("amplitude", amplitude, AMPLITUDES),
        ("smoothing", smoothing_ms, SMOOTHINGS_MS),
    ):
        if not low <= value <= high:
            raise ConfigError(f"{name} {value:g} is outside [{low:g}, {high:g}]; choose a value inside")
    if amplitude == 1 and smoothing_ms == 0:
        return model
    if isinstance(model, SpeechWindow) and model.lips is not None:
        spoken = Retargeted(model.lips.speaker, amplitude, smoothing_ms)
        return replace(model, lips=replace(model.lips, model=spoken))
    if not isinstance(model, Widened):
        raise ConfigError(
            "amplitude and smoothing change the motion of lips, and this renderer hears the speech itself; "
            "use another renderer (--renderer memory) or leave them out"
        )
    if amplitude != 1 and not model.knows_opening:
        raise ConfigError("this persona's motion model does not know how its lips part; train it again")
    return Retargeted(model, amplitude, smoothing_ms)
