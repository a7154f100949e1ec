"""VGG19 perceptual distance from weights the user brings (Simonyan & Zisserman 2015; pix2pixHD's layers)."""

from __future__ import annotations

import os
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.core import weights
from lipwright.core.checkpoint import read_state
from lipwright.core.errors import CheckpointError
from lipwright.core.vgg19_weights import CHANNELS

# Places in torchvision's `features`; pooling before those in _POOL_BEFORE.
_POOL_BEFORE = {5, 10, 19, 28}
_TAPS = {0: 1 / 32, 5: 1 / 16, 10: 1 / 8, 19: 1 / 4, 28: 1.0}
"""relu1_1 to relu5_1 and their weights."""


class Vgg19Distance(nn.Module):
    """Weighted L1 between VGG19 features; images go in as [-1, 1], without ImageNet statistics, as there."""

    def __init__(self, state: dict[str, Tensor], where: str = "the state dict") -> None:
        """CheckpointError when a convolution up to relu5_1 is missing or does not fit the one before it.

        Args:
            state: torchvision's layout, `features.N.weight` and `features.N.bias`; more keys are ignored.
            where: named in messages.
        """
        super().__init__()
        self.convs = nn.ModuleDict()
        channels = 3
        for index in CHANNELS:
            weight, bias = state.get(f"features.{index}.weight"), state.get(f"features.{index}.bias")
            if weight is None or bias is None:
                raise CheckpointError(
                    f"{where} lacks features.{index}.weight or .bias; expected torchvision's vgg19 layout"
                )
            if weight.ndim != 4 or weight.shape[1] != channels or tuple(weight.shape[2:]) != (3, 3):
                raise CheckpointError(
                    f"{where}: features.{index}.weight has shape {tuple(weight.shape)}, expected "
                    f"(any, {channels}, 3, 3); this is not vgg19"
                )
            channels = weight.shape[0]
            conv = nn.Conv2d(weight.shape[1], channels, 3, padding=1)
            conv.load_state_dict({"weight": weight.float(), "bias": bias.float()})
            self.convs[str(index)] = conv
        self.requires_grad_(False)

    def features(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) to the five tapped activations."""
        taps = []
        for name, conv in self.convs.items():
            if int(name) in _POOL_BEFORE:
                x = F.max_pool2d(x, 2)
            x = F.relu(conv(x))
            if int(name) in _TAPS:
                taps.append(x)
        return taps

    def forward(self, fake: Tensor, real: Tensor) -> Tensor:
        """Distance of two batches (B, 3, H, W) in [-1, 1]; gradient reaches `fake` only."""
        with torch.no_grad():
            wanted = self.features(real)
        terms = [w * F.l1_loss(f, r) for w, f, r in zip(_TAPS.values(), self.features(fake), wanted, strict=True)]
        return torch.stack(terms).sum()


def load_vgg19(path: str | os.PathLike[str]) -> Vgg19Distance:
    """Read a local VGG19 file (`.safetensors`, or `.pth` read without unpickling code).

    CheckpointError when it is missing, unreadable or of another network.
    """
    return Vgg19Distance(read_state(path), str(path))


class Perceptive(Protocol):
    """A config that says whether VGG19 judges."""

    @property
    def perceptual(self) -> str:
        """'auto' (on a GPU when the weights are here), 'vgg19' or 'none'."""


def check_perceptual(config: Perceptive) -> None:
    """CheckpointError when the config asks for VGG19 and its weights have not been brought."""
    if config.perceptual == "vgg19" and weights.find("vgg19") is None:
        raise CheckpointError("VGG19's weights are not here; bring them with: lipwright models add vgg19 FILE")


def perceptual_distance(config: Perceptive, device: str) -> Vgg19Distance | None:
    """The distance that `config.perceptual` asks for; None for none. CheckpointError as `check_perceptual`."""
    check_perceptual(config)
    path = weights.find("vgg19")
    if path is None or config.perceptual == "none" or (config.perceptual == "auto" and device == "cpu"):
        return None
    return load_vgg19(path)
