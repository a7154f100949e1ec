"""pix2pixHD generators (Wang et al. 2018) with self-attention (paper B).

State-dict keys of everything but attention are those of published `*_net_G.pth` files; attention lives under
`attention.*`, so it neither renumbers them nor is needed by them.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.render.translation.attention import SelfAttention
from lipwright.render.translation.config import TranslationConfig


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


def _down(channels: int) -> list[nn.Module]:
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


def _up(channels: int, even: bool = False) -> list[nn.Module]:
    kind = EvenTranspose2d if even else nn.ConvTranspose2d
    return [kind(channels, channels // 2, 3, stride=2, padding=1, output_padding=1), *_norm_relu()]


def _stem(in_channels: int, channels: int) -> list[nn.Module]:
    return [nn.ReflectionPad2d(3), nn.Conv2d(in_channels, channels, 7), *_norm_relu()]


def _head(channels: int, out_channels: int) -> list[nn.Module]:
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


class GlobalGenerator(nn.Module):
    """Encoder, residual stack, decoder.

    Args:
        in_channels, out_channels: of the image-like input and output.
        ngf, n_downs, n_blocks: width at full size, halvings, residual blocks.
        attention: SelfAttention after the residual stack and after the first upsampling (keys pooled 2 x 2).
        skips: add each encoder level to the decoder level of its size.
        even: EvenTranspose2d in the decoder.
        head: False drops the final three layers (the trunk of LocalEnhancer).
    Source: pix2pixHD, section 3.1 and its published layer order.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 3,
        ngf: int = 64,
        n_downs: int = 4,
        n_blocks: int = 9,
        attention: bool = False,
        skips: bool = False,
        head: bool = True,
        even: bool = False,
    ) -> None:
        super().__init__()
        widest = ngf * 2**n_downs
        layers = _stem(in_channels, ngf)
        for level in range(n_downs):
            layers += _down(ngf * 2**level)
        layers += [ResidualBlock(widest) for _ in range(n_blocks)]
        after_blocks = len(layers) - 1
        for level in range(n_downs):
            layers += _up(widest // 2**level, even)
        self.model = nn.Sequential(*layers, *(_head(ngf, out_channels) if head else []))
        self.factor = 2**n_downs
        self._attention_after = {after_blocks: 0, after_blocks + 3: 1} if attention else {}
        if attention:
            self.attention = nn.ModuleList([SelfAttention(widest), SelfAttention(widest // 2, pool=2)])
        # The activation that ends encoder level l, and the one that ends the decoder level of its size.
        ends = [3 + 3 * level for level in range(n_downs)]
        mirrored = [after_blocks + 3 * (n_downs - level) for level in range(n_downs)]
        self._skip_into = dict(zip(mirrored, ends, strict=True)) if skips else {}

    def trunk(self, x: Tensor) -> Tensor:
        """All layers in order, for inputs whose sides `factor` divides."""
        kept: dict[int, Tensor] = {}
        wanted = set(self._skip_into.values())
        for i, layer in enumerate(self.model):
            x = layer(x)
            if i in wanted:
                kept[i] = x
            if i in self._skip_into:
                x = x + kept.pop(self._skip_into[i])
            if i in self._attention_after:
                x = self.attention[self._attention_after[i]](x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) to (B, out, H, W) in [-1, 1], any H and W of at least `factor`."""
        padded = pad_to(x, self.factor)
        return self.trunk(padded)[..., : x.shape[-2], : x.shape[-1]]


class LocalEnhancer(nn.Module):
    """A global generator at half size inside a branch at full size (one enhancer).

    Args: as GlobalGenerator; `ngf` is the enhancer's width, the global part has 2 · ngf.
    Source: pix2pixHD, section 3.1 (coarse to fine).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 3,
        ngf: int = 32,
        n_downs: int = 3,
        n_blocks: int = 9,
        n_local_blocks: int = 3,
        attention: bool = False,
        skips: bool = False,
    ) -> None:
        super().__init__()
        whole = GlobalGenerator(in_channels, out_channels, 2 * ngf, n_downs, n_blocks, attention, skips, head=False)
        self.model = whole.model
        if attention:
            self.attention = whole.attention
        self._global = [whole]  # in a list: its weights are registered above, under the published names
        self.model1_1 = nn.Sequential(*_stem(in_channels, ngf), *_down(ngf))
        blocks = [ResidualBlock(2 * ngf) for _ in range(n_local_blocks)]
        self.model1_2 = nn.Sequential(*blocks, *_up(2 * ngf), *_head(ngf, out_channels))
        self.factor = 2 ** (n_downs + 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) to (B, out, H, W) in [-1, 1], any H and W of at least `factor`."""
        padded = pad_to(x, self.factor)
        half = F.avg_pool2d(padded, 3, stride=2, padding=1, count_include_pad=False)
        coarse = self._global[0].trunk(half)
        return self.model1_2(self.model1_1(padded) + coarse)[..., : x.shape[-2], : x.shape[-1]]

    def enhancer_parameters(self) -> Iterable[nn.Parameter]:
        """What is trained while the global part is fixed."""
        yield from self.model1_1.parameters()
        yield from self.model1_2.parameters()


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


def build_generator(config: TranslationConfig) -> GlobalGenerator | LocalEnhancer:
    """The generator a config describes, initialised from torch's current random state."""
    generator: GlobalGenerator | LocalEnhancer
    if config.generator == "local":
        generator = LocalEnhancer(
            config.input_channels,
            3,
            config.ngf,
            config.n_downs,
            config.n_blocks,
            config.n_local_blocks,
            config.attention,
            config.skips,
        )
    else:
        generator = GlobalGenerator(
            config.input_channels,
            3,
            config.ngf,
            config.n_downs,
            config.n_blocks,
            config.attention,
            config.skips,
            even=config.even,
        )
    initialise(generator)
    return generator
