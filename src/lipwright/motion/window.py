"""Speech windows: what a renderer that hears speech itself is given for each frame.

The renderer of system D reads six rows of its speech feature around a frame, t - 3 to t + 2 (SPEC 6, "k x 6").
Cutting them out needs no training; features other than curves in [0, 1] are standardised by the person's training
footage. Slow expressions (a smile) stand beside the speech in every row, as k more numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lipwright.core.contracts import F32, Conditions, MotionInfo
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.speech.features import SPEECH_FEATURES

KIND = "speech-window"


@dataclass(frozen=True)
class SpeechWindow:
    """A motion model without weights: `window` rows of one speech feature around every frame."""

    feature: str
    """Name of the speech feature; what it `produces`."""
    mean: F32
    """(c,) subtracted from every row; c channels are all rows of the feature within a video frame."""
    std: F32
    """(c,) then divided by."""
    window: int = 6
    """Rows: frames t - window // 2 to t + (window - 1) // 2."""
    expression: tuple[float, ...] = ()
    """Slow expressions beside the speech, -1 to 1, 0 the person's own mean."""

    @classmethod
    def plain(cls, feature: str, window: int = 6, expressions: int = 0) -> SpeechWindow:
        """The feature's rows as they are, for curves in [0, 1] such as 'visemes'."""
        channels = _channels(feature)
        return cls(feature, np.zeros(channels, np.float32), np.ones(channels, np.float32), window, (0.0,) * expressions)

    @classmethod
    def fit(cls, feature: str, rows: F32, window: int = 6, expressions: int = 0) -> SpeechWindow:
        """Standardised by (rate·T, dim) rows of the training footage, for features of any range."""
        frames = _per_frame(feature, rows)
        std = np.maximum(frames.std(0), 1e-3).astype(np.float32)
        return cls(feature, frames.mean(0).astype(np.float32), std, window, (0.0,) * expressions)

    @property
    def info(self) -> MotionInfo:
        """It produces the feature itself, and needs half a window on both sides."""
        return MotionInfo(produces=self.feature, features=(self.feature,), halo=self.window // 2)

    @property
    def channels(self) -> int:
        """k, numbers in every row of a window."""
        return len(self.mean) + len(self.expression)

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
        frames = (_per_frame(self.feature, features[self.feature]) - self.mean) / self.std
        if not len(frames):
            return np.zeros((0, self.window, self.channels), np.float32)
        around = np.arange(self.window) - self.window // 2
        index = np.clip(np.arange(len(frames))[:, None] + around, 0, len(frames) - 1)
        slow = np.broadcast_to(np.float32(self.expression), (*index.shape, len(self.expression)))
        return np.concatenate([frames[index], slow], axis=2).astype(np.float32)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """(tensors, JSON-ready description) for a persona."""
        tensors = {"mean": torch.from_numpy(self.mean.copy()), "std": torch.from_numpy(self.std.copy())}
        config = {"feature": self.feature, "window": self.window, "expression": list(self.expression)}
        return tensors, {"kind": KIND, **config}

    @classmethod
    def from_state(
        cls, tensors: Mapping[str, Tensor], description: Mapping[str, Any], where: str = "motion model"
    ) -> SpeechWindow:
        """Back from `state`; CheckpointError when the tensors belong to another model."""
        try:
            feature, window = str(description["feature"]), int(description["window"])
            expression = tuple(float(value) for value in description["expression"])
            mean, std = (tensors[name].cpu().numpy() for name in ("mean", "std"))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{where} is no speech window ({error}); retrain the persona") from error
        if len(mean) != _channels(feature) or len(std) != len(mean):
            raise CheckpointError(
                f"{where} has {len(mean)} channels of '{feature}', this version has {_channels(feature)}; retrain it"
            )
        return cls(feature, mean, std, window, expression)


def _channels(feature: str) -> int:
    kind = SPEECH_FEATURES.get(feature)
    return int(kind.rate * kind.dim)


def _per_frame(feature: str, rows: F32) -> F32:
    """(rate·T, dim) rows to (T, rate·dim): all that is heard within a video frame side by side."""
    kind = SPEECH_FEATURES.get(feature)
    if rows.ndim != 2 or rows.shape[1] != kind.dim or len(rows) % kind.rate:
        raise ShapeError(f"features['{feature}']", (f"{kind.rate}·T", kind.dim), rows.shape)
    return rows.reshape(-1, kind.rate * kind.dim)
