"""Networks by name: what `MotionConfig.network` can say. Every one maps speech, pose and cheeks as `Cascade` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from lipwright.core.errors import ConfigError
from lipwright.core.registry import Registry
from lipwright.motion.cascade import Cascade
from lipwright.motion.config import MotionConfig
from lipwright.motion.mouth import MouthOnly, SpeechTcn
from lipwright.motion.recurrent import LSTM_HALO, WINDOW, AttentionBiLstm, SlidingLstm


@dataclass(frozen=True)
class Network:
    """One kind of network."""

    build: Callable[[MotionConfig], nn.Module]
    halo: Callable[[MotionConfig], int]
    """Frames on either side that can change one output frame."""
    mouth_only: bool = False
    """Whether it is trained on the mouth alone (`MouthOnly`)."""


NETWORKS: Registry[Network] = Registry("motion network")
NETWORKS.add("cascade", Network(lambda c: Cascade(c.cascade()), lambda c: c.cascade().halo))


def _channels(config: MotionConfig) -> int:
    """Of the fast features; ConfigError where there are others, which recurrent networks do not take."""
    shape = config.cascade()
    if shape.slow_features or config.causal:
        raise ConfigError(
            f"network '{config.network}' takes features of 4 rows a frame and is not causal; give it logfbank alone"
        )
    return sum(n for _, n in shape.fast_features)


NETWORKS.add(
    "speech-tcn",
    Network(lambda c: MouthOnly(SpeechTcn(c.cascade().blind())), lambda c: c.cascade().mouth_halo, mouth_only=True),
)
NETWORKS.add(
    "lstm",
    Network(lambda c: MouthOnly(SlidingLstm(_channels(c), c.width, c.dropout)), lambda _: LSTM_HALO, mouth_only=True),
)
NETWORKS.add(
    "bilstm",
    Network(lambda c: MouthOnly(AttentionBiLstm(_channels(c), c.width, c.dropout)), lambda _: WINDOW, mouth_only=True),
)


def build(config: MotionConfig) -> nn.Module:
    """New networks of a configuration; ConfigError when they do not exist or cannot do what it asks."""
    kind = NETWORKS.get(config.network)
    if config.adversarial and not kind.mouth_only:
        raise ConfigError(f"network '{config.network}' has no discriminator; adversarial=0, or network='speech-tcn'")
    return kind.build(config)


def halo(config: MotionConfig) -> int:
    """Frames on either side that can change one output frame of a configuration's networks."""
    return NETWORKS.get(config.network).halo(config)
