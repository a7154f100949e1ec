"""What a convolution of the cross-modal network is: the paper's, and the three it was compared with.

Each backbone makes three kinds of layer with the same input and output shapes, all normalised (instance
normalisation without parameters) and activated:
`conv(a, b, stride)` 3 x 3, `up(a, b)` twice the size, `last(a)` 3 x 3 before a residual sum, not activated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from lipwright.render.translation.layers import InstanceNorm

_EXPANSION = 6
"""Of MobileNetV2's inverted residuals."""


class _Relaid(torch.autograd.Function):
    """The same numbers in another memory order; gradients come back in the first."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, there: torch.memory_format, back: torch.memory_format) -> Tensor:
        ctx.back = back
        return x.contiguous(memory_format=there)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0].contiguous(memory_format=ctx.back), None, None


def _trained(convolve: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """`convolve(x)`, while training on a CPU in the order that convolutions like.

    With 8 channels theirs is 2 to 5 times faster than the one of norms, which are up to 40 times slower in it, so the
    result goes back. A forward pass alone does not gain.
    """
    if x.device.type != "cpu" or not torch.is_grad_enabled():
        return convolve(x)
    theirs, ours = torch.channels_last, torch.contiguous_format
    relaid: Tensor = _Relaid.apply(x, theirs, ours)
    back: Tensor = _Relaid.apply(convolve(relaid), ours, theirs)
    return back


class Conv2d(nn.Conv2d):
    """A convolution that is trained in the memory order that is fast for it."""

    def forward(self, x: Tensor) -> Tensor:
        """As nn.Conv2d."""
        return _trained(super().forward, x)


class ConvTranspose2d(nn.ConvTranspose2d):
    """Its transposed sister. Kernel 3 at stride 2 gives pixels one, two or four taps: see `start_smooth`."""

    def start_smooth(self) -> None:
        """Begin as bilinear enlargement of random mixtures of channels: no chequered pattern has to be unlearnt.

        Ours, in the spirit of Aitken et al. (2017); the layer, its size and its cost stay those of the table.
        """
        row = torch.tensor([0.5, 1.0, 0.5], device=self.weight.device)
        with torch.no_grad():
            self.weight.copy_(self.weight[:, :, 1:2, 1:2] * row[:, None] * row)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """As nn.ConvTranspose2d."""
        return _trained(lambda y: super(ConvTranspose2d, self).forward(y, output_size), x)


class Backbone(Protocol):
    """Makes the layers of the encoders and decoders."""

    def conv(self, a: int, b: int, stride: int = 1) -> nn.Sequential:
        """(B, a, H, W) to (B, b, H / stride, W / stride)."""

    def up(self, a: int, b: int) -> nn.Sequential:
        """(B, a, H, W) to (B, b, 2H, 2W)."""

    def last(self, channels: int) -> nn.Sequential:
        """(B, channels, H, W) to the same, normalised but not activated."""


def leaky() -> nn.Module:
    """LeakyReLU 0.2, the paper's activation."""
    return nn.LeakyReLU(0.2, inplace=True)


def _transposed(a: int, b: int, groups: int = 1) -> ConvTranspose2d:
    return ConvTranspose2d(a, b, 3, stride=2, padding=1, output_padding=1, groups=groups)


class Plain:
    """Dense convolutions with an activation of choice: the paper's Table 2, or its hard-swish variant."""

    def __init__(self, activation: Callable[[], nn.Module] = leaky) -> None:
        self._activation = activation

    def conv(self, a: int, b: int, stride: int = 1) -> nn.Sequential:
        """See `Backbone`."""
        return nn.Sequential(Conv2d(a, b, 3, stride, 1), InstanceNorm(), self._activation())

    def up(self, a: int, b: int) -> nn.Sequential:
        """See `Backbone`."""
        return nn.Sequential(_transposed(a, b), InstanceNorm(), self._activation())

    def last(self, channels: int) -> nn.Sequential:
        """See `Backbone`."""
        return nn.Sequential(Conv2d(channels, channels, 3, 1, 1), InstanceNorm())


class Depthwise:
    """Depthwise 3 x 3, then pointwise (MobileNet, Howard et al. 2017)."""

    def conv(self, a: int, b: int, stride: int = 1) -> nn.Sequential:
        """See `Backbone`."""
        return nn.Sequential(*self._linear(a, b, stride), leaky())

    def up(self, a: int, b: int) -> nn.Sequential:
        """See `Backbone`."""
        return nn.Sequential(_transposed(a, a, groups=a), Conv2d(a, b, 1), InstanceNorm(), leaky())

    def last(self, channels: int) -> nn.Sequential:
        """See `Backbone`."""
        return nn.Sequential(*self._linear(channels, channels))

    @staticmethod
    def _linear(a: int, b: int, stride: int = 1) -> list[nn.Module]:
        return [Conv2d(a, a, 3, stride, 1, groups=a), Conv2d(a, b, 1), InstanceNorm()]


class MobileNetV2:
    """Inverted residuals: expand six times, filter each channel, project linearly (Sandler et al. 2018)."""

    def conv(self, a: int, b: int, stride: int = 1) -> nn.Sequential:
        """See `Backbone`."""
        wide = _EXPANSION * a
        return self._around(a, b, Conv2d(wide, wide, 3, stride, 1, groups=wide), same=a == b and stride == 1)

    def up(self, a: int, b: int) -> nn.Sequential:
        """See `Backbone`."""
        wide = _EXPANSION * a
        return self._around(a, b, _transposed(wide, wide, groups=wide), same=False)

    def last(self, channels: int) -> nn.Sequential:
        """See `Backbone`; the projection is linear anyway."""
        return self.conv(channels, channels)

    @staticmethod
    def _around(a: int, b: int, filtering: nn.Module, same: bool) -> nn.Sequential:
        def relu6() -> list[nn.Module]:
            return [InstanceNorm(), nn.ReLU6(inplace=True)]

        expand, project = Conv2d(a, _EXPANSION * a, 1), Conv2d(_EXPANSION * a, b, 1)
        block = nn.Sequential(expand, *relu6(), filtering, *relu6(), project, InstanceNorm())
        return nn.Sequential(Added(block)) if same else block


class Added(nn.Module):
    """x + inner(x)."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        return x + self.inner(x)


_KINDS: dict[str, Callable[[], Backbone]] = {
    "ours": Plain,
    "hard-swish": lambda: Plain(lambda: nn.Hardswish(inplace=True)),
    "depthwise": Depthwise,
    "mobilenetv2": MobileNetV2,
}


def backbone(name: str) -> Backbone:
    """The backbone of that name (`config.BACKBONES`)."""
    return _KINDS[name]()
