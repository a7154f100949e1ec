"""VGG19 perceptual distance from weights the user brings (Simonyan & Zisserman 2015; pix2pixHD's layers)."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.core.errors import CheckpointError

# (index in torchvision's `features`, out channels); pooling before those in _POOL_BEFORE.
_CONVS = {0: 64, 2: 64, 5: 128, 7: 128, 10: 256, 12: 256, 14: 256, 16: 256, 19: 512, 21: 512, 23: 512,
          25: 512, 28: 512}  # fmt: skip
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
        for index in _CONVS:
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
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"VGG19 weights {path} do not exist; give a local torchvision vgg19 file")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state = load_file(str(path))
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(
            f"{path} is not a readable weight file ({type(error).__name__}); download it again"
        ) from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} holds a {type(state).__name__}, expected a state dict")
    return Vgg19Distance(state, str(path))
