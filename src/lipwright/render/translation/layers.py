"""The layers pix2pixHD's generators are made of (Wang et al. 2018, section 3.1 and its published order)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from lipwright.render.translation.attention import SelfAttention


class InstanceNorm(nn.Module):
    """Instance normalisation without parameters, as group normalisation with one channel per group.

    The same numbers as nn.InstanceNorm2d(affine=False) at a fraction of its time on a CPU (NCHW, float32: a
    seventh forward, less than half with the backward pass).
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        return F.group_norm(x, x.shape[1], eps=1e-5)


def _norm_relu() -> list[nn.Module]:
    return [InstanceNorm(), nn.ReLU(inplace=True)]


def down(channels: int) -> list[nn.Module]:
    """Half the size, twice the channels."""
    return [nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1), *_norm_relu()]


class EvenTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution whose output pixels all get the same share of kernel taps.

    Kernel 3 at stride 2 gives pixels one, two or four taps in a chequered pattern, and a generator that has
    had few steps shows it (Odena et al. 2016). A fixed binomial filter [1, 2, 1]/4 afterwards removes that
    frequency exactly; it has no weights, so state dicts stay those of the plain layer.
    """

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """As ConvTranspose2d."""
        y = super().forward(x, output_size)
        row = torch.tensor([0.25, 0.5, 0.25], dtype=y.dtype, device=y.device)
        # Depthwise: ten times faster on a CPU than two mean pools. Zeros outside only dim the last pixel.
        kernel = (row[:, None] * row).expand(y.shape[1], 1, 3, 3).contiguous()
        return F.conv2d(y, kernel, padding=1, groups=y.shape[1])


def up(channels: int, even: bool = False) -> list[nn.Module]:
    """Twice the size, half the channels."""
    kind = EvenTranspose2d if even else nn.ConvTranspose2d
    return [kind(channels, channels // 2, 3, stride=2, padding=1, output_padding=1), *_norm_relu()]


def stem(in_channels: int, channels: int) -> list[nn.Module]:
    """Picture to features: 7 x 7, reflect-padded."""
    return [nn.ReflectionPad2d(3), nn.Conv2d(in_channels, channels, 7), *_norm_relu()]


def head(channels: int, out_channels: int) -> list[nn.Module]:
    """Features to picture: 7 x 7, reflect-padded, tanh."""
    return [nn.ReflectionPad2d(3), nn.Conv2d(channels, out_channels, 7), nn.Tanh()]


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))), reflect-padded and instance-normalised."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            *_norm_relu(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            InstanceNorm(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        return x + self.conv_block(x)


def halved(x: Tensor) -> Tensor:
    """(B, C, H, W) at half size (rounded up), as pix2pixHD's pyramids make it."""
    return F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)


def run(layers: nn.Module, x: Tensor, recompute: bool) -> Tensor:
    """`layers(x)`; with `recompute` their inner results are not kept for the backward pass but made again."""
    if recompute and torch.is_grad_enabled():
        return checkpoint(layers, x, use_reentrant=False, preserve_rng_state=False)
    return layers(x)


def pad_to(x: Tensor, factor: int) -> Tensor:
    """Reflect-pad right and bottom so that `factor` divides both sides."""
    right, bottom = -x.shape[-1] % factor, -x.shape[-2] % factor
    return F.pad(x, (0, right, 0, bottom), mode="reflect") if right or bottom else x


def initialise(module: nn.Module) -> None:
    """pix2pixHD's start: convolution weights from N(0, 0.02); attention keeps its own."""
    attending = {id(m) for a in module.modules() if isinstance(a, SelfAttention) for m in a.modules()}
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d)) and id(part) not in attending:
            nn.init.normal_(part.weight, 0.0, 0.02)
