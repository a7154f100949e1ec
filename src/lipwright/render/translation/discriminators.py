"""Multi-scale conditional PatchGANs that return every feature (pix2pixHD, section 3.2)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.render.translation.config import MAP_CHANNELS, TranslationConfig
from lipwright.render.translation.layers import InstanceNorm, initialise

N_LAYERS = 3
"""Stride-2 layers of a 70 x 70 PatchGAN."""
MAX_CHANNELS = 512


def _layers(in_channels: int, ndf: int) -> list[nn.Sequential]:
    def conv(a: int, b: int, stride: int) -> nn.Conv2d:
        return nn.Conv2d(a, b, 4, stride=stride, padding=2)

    layers = [nn.Sequential(conv(in_channels, ndf, 2), nn.LeakyReLU(0.2, inplace=True))]
    channels = ndf
    for i in range(1, N_LAYERS + 1):
        wider = min(2 * channels, MAX_CHANNELS)
        stride = 2 if i < N_LAYERS else 1
        layers.append(nn.Sequential(conv(channels, wider, stride), InstanceNorm(), nn.LeakyReLU(0.2, inplace=True)))
        channels = wider
    return [*layers, nn.Sequential(conv(channels, 1, 1))]


class MultiscaleDiscriminator(nn.Module):
    """PatchGANs on an average-pooled pyramid.

    Args:
        in_channels: condition and image together.
        ndf: channels of the first layer; doubled per layer up to 512.
        n_scales: pyramid levels; each halves the size.
    State-dict keys are pix2pixHD's `scale{s}_layer{l}.*`, where the highest s sees full resolution.
    """

    def __init__(self, in_channels: int, ndf: int = 64, n_scales: int = 2) -> None:
        super().__init__()
        self.n_scales = n_scales
        for scale in range(n_scales):
            for i, layer in enumerate(_layers(in_channels, ndf)):
                self.add_module(f"scale{scale}_layer{i}", layer)
        initialise(self)

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """(B, in, H, W) to features per scale, full resolution first; the last of each is the verdict."""
        results = []
        for scale in reversed(range(self.n_scales)):
            features, y = [], x
            for i in range(N_LAYERS + 2):
                y = self.get_submodule(f"scale{scale}_layer{i}")(y)
                features.append(y)
            results.append(features)
            if scale:
                x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
        return results


def build_discriminators(config: TranslationConfig) -> dict[str, nn.Module]:
    """The discriminators a config asks for, by name."""
    found: dict[str, nn.Module] = {
        "discriminator": MultiscaleDiscriminator(MAP_CHANNELS + 3, config.ndf, config.n_scales)
    }
    if config.mouth_discriminator:
        found["mouth_discriminator"] = MultiscaleDiscriminator(MAP_CHANNELS + 3, config.ndf, 1)
    if config.temporal_discriminator:
        found["temporal_discriminator"] = MultiscaleDiscriminator(4 * config.stretch, config.ndf, 1)
    return found
