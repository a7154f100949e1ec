"""Speech windows: what a renderer that hears speech itself is given for each frame.

The renderer of system D reads six rows of its speech feature around a frame, t - 3 to t + 2 (SPEC 6, "k x 6").
Cutting them out needs no training. Lips, as a landmark model says them from the same speech, and slow expressions (a
smile) stand beside the speech in every row, as more numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import Tensor

from lipwright.core.contracts import F32, Conditions, MotionInfo, MotionModel
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.engines.engine import Engine
from lipwright.engines.network import Network
from lipwright.motion.spoken_lips import SpokenLips
from lipwright.speech.features import SPEECH_FEATURES

KIND = "speech-window"


@dataclass(frozen=True)
class SpeechWindow:
    """A motion model: `window` rows of one speech feature around every frame, and what lips do meanwhile."""

    feature: str
    """Name of the speech feature; what it `produces`."""
    window: int = 6
    """Rows: frames t - window // 2 to t + (window - 1) // 2."""
    expression: tuple[float, ...] = ()
    """Slow expressions beside the speech, -1 to 1, 0 the person's own mean."""
    lips: SpokenLips | None = field(default=None, compare=False)
    """Who says how the lips stand, beside the speech in every row; None: nobody, as published."""

    @property
    def info(self) -> MotionInfo:
        """It produces the feature itself, and needs half a window on both sides."""
        heard: tuple[str, ...] = (self.feature,)
        halo = self.window // 2
        if self.lips is not None:
            own = self.lips.speaker.info
            heard, halo = tuple(dict.fromkeys((*heard, *own.features))), halo + own.halo
        return MotionInfo(produces=self.feature, features=heard, halo=halo)

    @property
    def channels(self) -> int:
        """k, numbers in every row of a window: all the feature says within a video frame, lips, expressions."""
        return channels(self.feature) + (self.lips.count if self.lips is not None else 0) + len(self.expression)

    def networks(self) -> list[Network]:
        """See `engines.engine.Engined`."""
        return self.lips.networks() if self.lips is not None else []

    def on(self, engine: Engine) -> SpeechWindow:
        """See `engines.engine.Engined`."""
        return self if self.lips is None else replace(self, lips=self.lips.on(engine))

    def expressing(self, expression: tuple[float, ...]) -> SpeechWindow:
        """The same with other slow expressions; ConfigError when there are not as many, or outside -1 to 1."""
        if len(expression) != len(self.expression):
            raise ConfigError(
                f"this persona takes {len(self.expression)} slow expressions, {len(expression)} were given; train it "
                "with expressions=1 to use --smile"
            )
        if not all(-1 <= value <= 1 for value in expression):
            raise ConfigError(f"a smile goes from -1 to 1 and 0 is the person's own, got {expression[0]:g}")
        return replace(self, expression=expression)

    def predict(self, features: Mapping[str, F32], conditions: Conditions) -> F32:
        """(T, window, k) windows of T = rows / rate frames; beyond the ends the first and last frame repeat.

        Args: `features` name -> (rate·T, dim) rows; `conditions` are not looked at: the template moves no lip.
        """
        if self.feature not in features:
            raise ConfigError(f"the model reads '{self.feature}' and got {', '.join(features) or 'none'}; compute it")
        frames = _per_frame(self.feature, features[self.feature])
        said = None if self.lips is None else self.lips.said(self._for_lips(features), len(frames))
        windows = self.cut(frames, said)
        slow = np.broadcast_to(np.array(self.expression, np.float32), (*windows.shape[:2], len(self.expression)))
        return np.concatenate([windows, slow], axis=2).astype(np.float32)

    def cut(self, frames: F32, lips: F32 | None = None) -> F32:
        """(T, window, k) of (T, dim) speech and (T, n) lips, without expressions; the first and last repeat."""
        rows = frames if lips is None else np.concatenate([frames, lips], axis=1)
        around = np.arange(self.window) - self.window // 2
        return rows[np.clip(np.arange(len(rows))[:, None] + around, 0, max(len(rows) - 1, 0))]

    def _for_lips(self, features: Mapping[str, F32]) -> dict[str, F32]:
        assert self.lips is not None
        return {name: features[name] for name in self.lips.speaker.info.features if name in features}

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """(tensors, JSON-ready description) for a persona."""
        config = {"feature": self.feature, "window": self.window, "expression": list(self.expression)}
        tensors, lips = self.lips.state() if self.lips is not None else ({}, None)
        return tensors, {"kind": KIND, "channels": self.channels, **config, "lips": lips}

    @classmethod
    def from_state(
        cls, tensors: Mapping[str, Tensor], description: Mapping[str, Any], where: str = "motion model"
    ) -> SpeechWindow:
        """Back from `state`; CheckpointError when it describes another model, or the feature has changed since."""
        try:
            feature, window = str(description["feature"]), int(description["window"])
            expression = tuple(float(value) for value in description["expression"])
            stored, about = int(description["channels"]), description.get("lips")
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{where} is no speech window ({error}); retrain the persona") from error
        model = cls(feature, window, expression, SpokenLips.from_state(tensors, about, where) if about else None)
        if stored != model.channels:
            raise CheckpointError(
                f"{where} has {stored} channels of '{feature}', this version has {model.channels}; retrain the persona"
            )
        return model


def channels(feature: str) -> int:
    """Numbers that a speech feature says within a video frame."""
    kind = SPEECH_FEATURES.get(feature)
    return int(kind.rate * kind.dim)


def _per_frame(feature: str, rows: F32) -> F32:
    """(rate·T, dim) rows to (T, rate·dim): all that is heard within a video frame side by side."""
    kind = SPEECH_FEATURES.get(feature)
    if rows.ndim != 2 or rows.shape[1] != kind.dim or len(rows) % kind.rate:
        raise ShapeError(f"features['{feature}']", (f"{kind.rate}·T", kind.dim), rows.shape)
    return rows.reshape(-1, kind.rate * kind.dim)


def smiling(motion: MotionModel, smile: float) -> SpeechWindow:
    """`motion` with another smile, -1 to 1; ConfigError when it has none to choose."""
    if not isinstance(motion, SpeechWindow):
        raise ConfigError("this persona has no smile to choose; --smile needs one of the recipe virtual-human")
    return motion.expressing((smile,))
