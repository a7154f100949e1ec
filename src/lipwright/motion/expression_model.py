"""Speech to the expression of a morphable face as a `MotionModel`: Meta Talk's A2E, and AudioDVP's linear one.

A frame is told by seven codes, each of the 28 rows (seven frames) around its own frame. Beyond the ends of the speech
the first and last row are repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lipwright.core import checkpoint
from lipwright.core.config import from_dict, to_dict
from lipwright.core.contracts import EXPRESSION, F32, Conditions, MotionInfo
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.core.registry import Registry
from lipwright.motion.config import AugmentConfig
from lipwright.motion.expression_lips import FEATURES as LIPS_HEAR
from lipwright.motion.expression_lips import ExpressionLips
from lipwright.motion.quick import REACH as QUICK_REACH
from lipwright.motion.quick import quickened
from lipwright.motion.silence import REACH
from lipwright.motion.speech_expression import ROWS, CepstraExpression, SharedExpression, SpeechExpression, Windowed
from lipwright.speech.features import SPEECH_FEATURES

KIND = "speech-expression"
_RATE = 4
"""Rows per video frame."""
_BLOCK = 256
"""Frames told at once: long speech needs no more memory than short."""


@dataclass(frozen=True)
class ExpressionConfig:
    """A speech-to-expression model and its training; the defaults are Meta Talk's, narrow enough for a CPU."""

    network: str = "shared-cnn"
    """'window-cnn' (Meta Talk), 'shared-cnn' (the same over whole stretches, seven times as fast) or 'linear'
    (AudioDVP)."""
    feature: str = "logmel"
    """Speech feature of four rows a frame: 'logmel', 'mfcc80' (Meta Talk to the letter), 'mfcc12' (AudioDVP)."""
    width: int = 12
    """Channels of the first convolution; 64 is the paper-like size."""
    own_share: float = 0.2
    """Share of every batch that is drawn from own pairs where there are both; 0: pseudo pairs alone."""
    lip_unit_cm: float = 1.0
    """Length that the lip term of the loss counts in; 0: coefficients alone (AudioDVP)."""
    steps_weight: float = 0.3
    """Weight of the inter-frame term."""
    quick: float = 0.9
    """Inter-frame energy of the lips wanted, as a share of the real (`motion.quick`); 0 leaves it as it is, as
    published."""
    clip_frames: int = 48
    """Consecutive frames of one sample."""
    batch: int = 6
    """Samples a step."""
    learning_rate: float = 1e-3
    """Adam's first rate; a cosine takes it to a hundredth."""
    weight_decay: float = 1e-4
    """Decoupled."""
    augment: AugmentConfig = field(
        default_factory=lambda: AugmentConfig(noise=0.1, gain=0.4, equaliser=0.3, warp=0.1, channel_mask=8, room_s=0.3)
    )
    """Changes of the standardised rows, so that another voice or microphone still works."""


AUDIODVP = ExpressionConfig(
    network="linear", feature="mfcc12", own_share=1.0, lip_unit_cm=0.0, steps_weight=0.0, weight_decay=0.0,
    quick=0.0, augment=AugmentConfig(),
)  # fmt: skip
"""AudioDVP: own pairs, 28 x 12 cepstra, a linear network, mean squared error."""


def _shared_cnn(expressions: int, config: ExpressionConfig, channels: int) -> nn.Module:
    return SharedExpression(expressions, config.width, channels)


def _window_cnn(expressions: int, config: ExpressionConfig, channels: int) -> nn.Module:
    return Windowed(SpeechExpression(expressions, config.width, channels))


def _linear(expressions: int, config: ExpressionConfig, channels: int) -> nn.Module:
    return Windowed(CepstraExpression(expressions, channels))


EXPRESSION_NETWORKS = Registry[Callable[[int, ExpressionConfig, int], nn.Module]]("speech-to-expression network")
"""(E, configuration, channels) to a module with a `halo`: (B, 4·(T + 2·halo), C) standardised rows to (B, T, E)."""
EXPRESSION_NETWORKS.add("shared-cnn", _shared_cnn)
EXPRESSION_NETWORKS.add("window-cnn", _window_cnn)
EXPRESSION_NETWORKS.add("linear", _linear)


def build(config: ExpressionConfig, expressions: int) -> nn.Module:
    """The networks of a configuration; ConfigError for a feature that has not four rows a frame."""
    kind = SPEECH_FEATURES.get(config.feature)
    if kind.rate != _RATE:
        raise ConfigError(
            f"speech-to-expression needs a feature of four rows a frame, {config.feature} has {kind.rate}; use logmel"
        )
    return EXPRESSION_NETWORKS.get(config.network)(expressions, config, kind.dim)


def halo_of(network: nn.Module) -> int:
    """Frames on either side that a frame hears."""
    return int(network.halo)  # type: ignore[arg-type]


def windows(rows: Tensor) -> Tensor:
    """(4·T, C) rows to (T - 6, 28, C): what the frames but the first and last three hear."""
    return rows.unfold(0, ROWS, _RATE).transpose(1, 2)


class ExpressionMotion:
    """A trained network with the statistics it was trained by.

    Chunks: give `info.halo` frames of real context on either side and drop them from the result, then chunks equal the
    whole.

    Args:
        config: of the network.
        network: in any mode; set to `eval`.
        rows: (2, C) mean and deviation of the feature's channels.
        expression: (2, E) mean and deviation of the coefficients.
        lips: what closes the lips and brings them to rest after the network has spoken; None: nothing.
        quick: see `motion.quick.quickened`, of what the network says.
    """

    def __init__(
        self,
        config: ExpressionConfig,
        network: nn.Module,
        rows: F32,
        expression: F32,
        lips: ExpressionLips | None = None,
        quick: float = 0.0,
    ) -> None:
        self.config, self.network, self.lips, self.quick = config, network.eval(), lips, quick
        self.rows, self.expression = np.asarray(rows, np.float32), np.asarray(expression, np.float32)
        heard, halo = (config.feature,), halo_of(network) + (QUICK_REACH if quick > 0 else 0)
        self.info = MotionInfo(EXPRESSION, heard if lips is None else heard + LIPS_HEAR, halo=halo)
        if lips is not None:
            self.info = replace(self.info, halo=max(halo, REACH))

    def closing(self, lips: ExpressionLips) -> ExpressionMotion:
        """The same network with lips that close."""
        return ExpressionMotion(self.config, self.network, self.rows, self.expression, lips, self.quick)

    def with_quick(self, gain: float) -> ExpressionMotion:
        """The same with another `quick`."""
        return ExpressionMotion(self.config, self.network, self.rows, self.expression, self.lips, gain)

    @property
    def expressions(self) -> int:
        """E, coefficients a frame."""
        return self.expression.shape[1]

    def predict(self, features: Mapping[str, F32], conditions: Conditions) -> F32:
        """(T, E) coefficients of the subject's own fitted face.

        Args: `features` name -> (4·T, C) rows; `conditions` are not looked at: the template moves no lip.
        """
        return self.predict_only(features, conditions, 0, len(features.get(self.config.feature, ())) // _RATE)

    def predict_only(self, features: Mapping[str, F32], conditions: Conditions, start: int, stop: int) -> F32:
        """See `core.contracts.Selective`."""
        name = self.config.feature
        for wanted in self.info.features:
            if wanted not in features:
                raise ConfigError(f"the model reads '{wanted}' and got {', '.join(features) or 'none'}; compute it")
        rows, dim = features[name], self.rows.shape[1]
        if rows.ndim != 2 or rows.shape[1] != dim or len(rows) % _RATE:
            raise ShapeError(f"features['{name}']", (f"{_RATE}·T", dim), rows.shape)
        n = len(rows) // _RATE
        if stop <= start:
            return np.zeros((0, self.expressions), np.float32)
        reach = QUICK_REACH if self.quick > 0 else 0
        first, last = max(start - reach, 0), min(stop + reach, n)
        told = np.zeros((n, self.expressions), np.float32)
        told[first:last] = quickened(self._told(rows, first, last), self.quick)
        if self.lips is not None:  # they look about in the pauses of all frames, and cost little
            told = self.lips(told, *(features[heard] for heard in LIPS_HEAR))
        return told[start:stop]

    def _told(self, rows: F32, first: int, last: int) -> F32:
        """(last - first, E) what the network says of some frames."""
        halo = halo_of(self.network)
        around = np.clip(np.arange(_RATE * (first - halo), _RATE * (last + halo)), 0, len(rows) - 1)
        standard = torch.from_numpy(((rows[around] - self.rows[0]) / self.rows[1]).astype(np.float32))
        parts, n = [], last - first
        with torch.inference_mode():
            for start in range(0, n, _BLOCK):
                stop = min(start + _BLOCK, n)
                parts.append(self.network(standard[None, _RATE * start : _RATE * (stop + 2 * halo)])[0].numpy())
        return (np.concatenate(parts) * self.expression[1] + self.expression[0]).astype(np.float32)

    @property
    def knows_opening(self) -> bool:
        """See `motion.retarget.Widened`."""
        return self.lips is not None

    def widened(self, said: F32, conditions: Conditions, amplitude: float) -> F32:
        """See `motion.retarget.Widened`."""
        assert self.lips is not None
        return self.lips.widened(said, amplitude)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """(tensors, JSON-ready description); `from_state` rebuilds the same model, bit for bit."""
        tensors = {f"network.{k}": v.detach().cpu() for k, v in self.network.state_dict().items()}
        tensors["rows"] = torch.from_numpy(self.rows)
        tensors["expression"] = torch.from_numpy(self.expression)
        if self.quick > 0:
            tensors["quick"] = torch.tensor(self.quick, dtype=torch.float64)
        if self.lips is not None:
            tensors |= {k: torch.from_numpy(np.array(v)) for k, v in self.lips.arrays().items()}
        return tensors, {"kind": KIND, "config": to_dict(self.config)}

    @classmethod
    def from_state(
        cls, tensors: Mapping[str, Tensor], description: Mapping[str, Any], where: str = "motion model"
    ) -> ExpressionMotion:
        """Back from `state`; CheckpointError when the tensors belong to another model."""
        config = from_dict(ExpressionConfig, dict(description.get("config", {})))
        try:
            rows, expression = (tensors[name].numpy() for name in ("rows", "expression"))
            closes = any(name.startswith("lips.") for name in tensors)
            lips = ExpressionLips.of_arrays(lambda name: tensors[name].numpy()) if closes else None
        except KeyError as error:
            raise CheckpointError(f"{where} lacks {error}; copy the whole persona again or retrain") from error
        network = build(config, expression.shape[1])
        weights = {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
        checkpoint.load_into(network, weights, where)
        return cls(config, network, rows, expression, lips, float(tensors["quick"]) if "quick" in tensors else 0.0)
