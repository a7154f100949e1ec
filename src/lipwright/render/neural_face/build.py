"""The networks that a configuration of the neural face renderer describes."""

from __future__ import annotations

from torch import nn

from lipwright.render.neural_face.config import NeuralFaceConfig
from lipwright.render.neural_face.networks import OnBase, PatchGan, RefinedUNet, start
from lipwright.render.translation.discriminators import MultiscaleDiscriminator
from lipwright.render.translation.layers import initialise
from lipwright.render.translation.networks import GlobalGenerator


def build_generator(config: NeuralFaceConfig) -> nn.Module:
    """The generator, initialised from torch's current random state."""
    network = _network(config)
    return OnBase(network, config.window, config.size) if config.base else network


def _network(config: NeuralFaceConfig) -> nn.Module:
    c = config
    if c.generator == "global":
        generator = GlobalGenerator(c.input_channels, 3, c.ngf, c.n_downs, c.n_blocks)
        initialise(generator)
        return generator
    unet = RefinedUNet(c.input_channels, 3, c.ngf, c.n_downs, c.norm)
    start(unet)
    return unet


def build_judges(config: NeuralFaceConfig) -> dict[str, nn.Module]:
    """The discriminators, by name."""
    names = ["discriminator"] + ["mouth_discriminator"] * config.mouth_discriminator
    return {name: _judge(config, 1 if name.startswith("mouth") else config.n_scales) for name in names}


def _judge(config: NeuralFaceConfig, scales: int) -> nn.Module:
    channels = config.condition_channels + 3
    if config.judge == "patchgan":
        judge = PatchGan(channels, config.ndf, config.norm)
        start(judge)
        return judge
    return MultiscaleDiscriminator(channels, config.ndf, scales)
