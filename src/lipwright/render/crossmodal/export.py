"""The cross-modal network in layers that other runtimes have: the head or a fixed region of it, with or without mouth.

Instance normalisation and the antialiased reduction of the paste become layers that runtimes have, with the same
numbers. The output convolution is evaluated on the region alone, which is exact, and for several pixels at once.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.core.errors import ConfigError
from lipwright.render.crossmodal.networks import CrossModal, Region
from lipwright.render.exported import plain_layers

FORM = 3
"""Counted up whenever the layers below change: files of another form are not used again."""


class StridedReduction(nn.Module):
    """Antialiased bilinear reduction of (B, C, S, S) to (B, C, side, side) as two strided convolutions.

    Outputs repeat their taps every S / gcd input pixels, so one kernel for each phase does it. At the borders the
    filter loses taps and what is left is weighed up.
    """

    kernel: Tensor
    weight: Tensor

    def __init__(self, channels: int, size: int, side: int) -> None:
        super().__init__()
        self._blocks = math.gcd(size, side)
        self._step, self._phases, self._channels = size // self._blocks, side // self._blocks, channels
        self._margin = math.ceil(size / side) + 1
        whole = F.interpolate(torch.eye(size)[None, None], (side, size), mode="bilinear", antialias=True)[0, 0]
        middle = self._blocks // 2
        rows = whole[middle * self._phases : (middle + 1) * self._phases]
        left = middle * self._step - self._margin
        kernel = rows[:, left : left + self._step + 2 * self._margin]
        self.register_buffer("kernel", kernel.repeat(channels, 1)[:, None])
        seen = self._along(torch.ones(1, channels, 1, size))[0, 0, 0]
        self.register_buffer("weight", 1 / seen)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        across = self._along(x) * self.weight
        return (self._along(across.transpose(2, 3)) * self.weight).transpose(2, 3)

    def _along(self, x: Tensor) -> Tensor:
        """(B, C, H, S) to (B, C, H, side), edges not weighed up."""
        kernel = self.kernel[:, :, None]
        y = F.conv2d(x, kernel, stride=(1, self._step), padding=(0, self._margin), groups=self._channels)
        batch, _, height, blocks = y.shape
        y = y.view(batch, self._channels, self._phases, height, blocks).permute(0, 1, 3, 4, 2)
        return y.reshape(batch, self._channels, height, blocks * self._phases)


class Blocked(nn.Module):
    """A convolution to few channels for 2 x 2 pixels at once, a third of the time where channels fill vectors.

    Each of the four pixels has a kernel of its own, shifted within one that is a pixel larger.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, output: nn.Conv2d) -> None:
        super().__init__()
        kernel = output.weight.detach()
        channels, inputs, height, width = kernel.shape
        weight = torch.zeros(channels, 2, 2, inputs, height + 1, width + 1)
        for dy in (0, 1):
            for dx in (0, 1):
                weight[:, dy, dx, :, dy : dy + height, dx : dx + width] = kernel
        self.register_buffer("weight", weight.flatten(0, 2))
        bias = torch.zeros(channels) if output.bias is None else output.bias.detach()
        self.register_buffer("bias", bias.repeat_interleave(4))
        self._less = height - 1, width - 1

    def forward(self, padded: Tensor) -> Tensor:
        """(B, C, h, w) to what the convolution without padding makes of it."""
        height, width = padded.shape[2] - self._less[0], padded.shape[3] - self._less[1]
        even = F.pad(padded, (0, width % 2, 0, height % 2)) if height % 2 or width % 2 else padded
        four = F.conv2d(even, self.weight, self.bias, stride=2)
        return F.pixel_shuffle(four, 2)[:, :, :height, :width]


class Exported(nn.Module):
    """The drawing of one network in layers that other runtimes have.

    Args:
        region: as of `CrossModal.draw`; None is the whole head.
        mouth: also the mouth square at full size. A network of one decoder has none of its own: ConfigError.
    """

    def __init__(self, network: CrossModal, region: Region | None = None, mouth: bool = False) -> None:
        super().__init__()
        if mouth and network.mouth_decoder is None:
            raise ConfigError("a network of one decoder draws no mouth of its own; export its head alone")
        size, width = network.config.size, network.config.width
        self.network = cast(CrossModal, plain_layers(network))
        self._region, self._mouth = region, mouth
        self.network.reduction = StridedReduction(width, size, network.mouth_square[2])
        for decoder in (self.network.head_decoder, self.network.mouth_decoder):
            if decoder is not None:
                decoder.blocked = Blocked(decoder.output)

    def forward(self, strokes: Tensor, speech: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """As `CrossModal.draw`, with the mouth (B, 3, S, S) behind it if it was asked for."""
        if not self._mouth:
            return self.network.draw(strokes, speech, self._region)
        return self.network.draw_both(strokes, speech, self._region)
