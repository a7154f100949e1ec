"""AudioDVP's neural face renderer: pix2pix's U-Net with refining convolutions, and pix2pix's PatchGAN.

Wen, Wang, Richardt, Chen, Hu, "Photorealistic Audio-driven Video Portraits" (2020), section 3.3, after Isola et al.
2017. State-dict keys are those of AudioDVP's published networks where norms are 'batch'; 'group' has the same keys but
the running statistics.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.core.errors import ConfigError, ShapeError

WIDEST = 8
"""The U-Net's channels stop doubling at so many times its first ones."""
_BLACK = -0.99
"""A drawing is this dark in all colours only where nothing is drawn."""
_GROUP = 8
"""Channels normalised together, 'group'."""


class BatchNorm(nn.BatchNorm2d):
    """Over the batch, as published. One value per channel has no spread in training: it passes as it is."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if self.training and x.numel() == x.shape[1]:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        return super().forward(x)


def norm(channels: int, kind: str) -> nn.Module:
    """'batch' as published, or 'group': the same in training and speaking however small the batch."""
    return BatchNorm(channels) if kind == "batch" else nn.GroupNorm(max(channels // _GROUP, 1), channels)


class Refine(nn.Module):
    """Two 3 x 3 convolutions, each normalised and rectified, after every step up."""

    def __init__(self, channels: int, kind: str) -> None:
        super().__init__()

        def unit() -> nn.Sequential:
            # On a base the quickest way to err less is silence: plain rectifiers fall silent for good where it counts.
            rectifier = nn.ReLU() if kind == "batch" else nn.LeakyReLU(0.2)
            return nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1), norm(channels, kind), rectifier)

        self.model = nn.Sequential(unit(), unit())

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        refined: Tensor = self.model(x)
        return refined


class _Level(nn.Module):
    """One level of the U-Net with all that lies below it: down, the level below, refine, up.

    Args:
        outer, inner: channels at this level and below.
        below: the next level; None at the bottom.
        channels: (in, out) of the outermost level; None for the others, whose input is joined to their output.
    """

    def __init__(
        self, outer: int, inner: int, below: _Level | None, kind: str, channels: tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        self.outermost = channels is not None
        down = nn.Conv2d(channels[0] if channels else outer, inner, 4, 2, 1, bias=False)
        before: list[nn.Module] = [] if self.outermost else [nn.LeakyReLU(0.2)]
        before.append(down)
        if below is not None and not self.outermost:
            before.append(norm(inner, kind))
        after: list[nn.Module] = [] if below is None else [below]
        after += [nn.ReLU(), Refine(inner if below is None else 2 * inner, kind)]
        # In the published order: the last one down is refined at its own width.
        width = inner if below is None else 2 * inner
        if channels is not None:
            after += [nn.ConvTranspose2d(width, channels[1], 4, 2, 1), nn.Tanh()]
        else:
            after += [nn.ConvTranspose2d(width, outer, 4, 2, 1, bias=False), norm(outer, kind)]
        self.model = nn.Sequential(*before, *after)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, out, H, W), below the outermost level joined to what came in."""
        through: Tensor = self.model(x)
        return through if self.outermost else torch.cat([x, through], 1)


class RefinedUNet(nn.Module):
    """The neural face renderer.

    Args:
        in_channels: 21, seven neighbouring drawings in RGB; more where a configuration adds labels or surroundings.
        ngf: channels of the first level; 64 is AudioDVP's, 140.9 M parameters.
        n_downs: halvings, 8 for pictures of 256 px (down to one pixel), 9 for 512 and more.
        kind: of normalisation, 'batch' or 'group'.
    """

    def __init__(
        self, in_channels: int = 21, out_channels: int = 3, ngf: int = 64, n_downs: int = 8, kind: str = "batch"
    ) -> None:
        super().__init__()
        if n_downs < 5:
            raise ConfigError(f"the face renderer's U-Net has at least five halvings, {n_downs} were asked for")
        self.factor = 2**n_downs
        wide = WIDEST * ngf
        level = _Level(wide, wide, None, kind)
        for _ in range(n_downs - 5):
            level = _Level(wide, wide, level, kind)
        for outer in (4 * ngf, 2 * ngf, ngf):
            level = _Level(outer, 2 * outer, level, kind)
        self.model = _Level(out_channels, ngf, level, kind, (in_channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) to (B, out, H, W) in [-1, 1]; ShapeError when `factor` does not divide H and W."""
        if x.shape[-1] % self.factor or x.shape[-2] % self.factor:
            raise ShapeError("x", ("B", "C", f"multiple of {self.factor}", f"multiple of {self.factor}"), x.shape)
        drawn: Tensor = self.model(x)
        return drawn


class OnBase(nn.Module):
    """A generator that draws what differs from a base: the frame's own drawing, on the person's mean picture.

    Args:
        network: (B, C, S, S) to (B, 3, S, S); its last convolution begins at zero, so the first picture is the base.
        window: drawings in the input, the frame's own in the middle.
        size: S.
    """

    mean: Tensor

    def __init__(self, network: nn.Module, window: int, size: int) -> None:
        super().__init__()
        self.network, self._first = network, 3 * (window // 2)
        self.register_buffer("mean", torch.zeros(3, size, size))
        last = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))][-1]
        nn.init.zeros_(last.weight)

    def start_from(self, mean: Tensor) -> None:
        """Set the mean picture, (3, S, S) in [-1, 1]."""
        self.mean.copy_(mean)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, S, S) to (B, 3, S, S), about [-1, 1]."""
        own = x[:, self._first : self._first + 3]
        drawn = (own.amax(1, keepdim=True) > _BLACK).to(x.dtype)
        made: Tensor = drawn * own + (1 - drawn) * self.mean.to(x.dtype) + self.network(x)
        return made


class PatchGan(nn.Module):
    """pix2pix's 70 x 70 discriminator on condition and picture together (24 channels in AudioDVP).

    Returns its features like `translation.discriminators.MultiscaleDiscriminator`, as a pyramid of one scale.
    """

    def __init__(self, in_channels: int = 24, ndf: int = 64, kind: str = "batch") -> None:
        super().__init__()
        widths = [ndf, 2 * ndf, 4 * ndf, 8 * ndf]
        layers: list[nn.Module] = [nn.Conv2d(in_channels, ndf, 4, 2, 1), nn.LeakyReLU(0.2)]
        for before, wider, stride in zip(widths, widths[1:], (2, 2, 1), strict=False):
            layers += [nn.Conv2d(before, wider, 4, stride, 1, bias=False), norm(wider, kind), nn.LeakyReLU(0.2)]
        self.model = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 1))

    def forward(self, x: Tensor) -> list[list[Tensor]]:
        """(B, in, H, W) to [[features of each layer, the verdict]]."""
        features = []
        for layer in self.model:
            x = layer(x)
            if isinstance(layer, nn.LeakyReLU):
                features.append(x)
        return [[*features, x]]


def start(module: nn.Module) -> None:
    """pix2pix's start: convolutions from N(0, 0.02), norms' weights from N(1, 0.02), biases 0."""
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(part.weight, 0.0, 0.02)
        elif isinstance(part, (nn.BatchNorm2d, nn.GroupNorm)):
            nn.init.normal_(part.weight, 1.0, 0.02)
        else:
            continue
        if part.bias is not None:
            nn.init.zeros_(part.bias)
