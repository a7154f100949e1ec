"""LPIPS (AlexNet), when the user brings both weight files: torchvision's AlexNet and the paper's five layers.

Source: Zhang et al. 2018, 'The Unreasonable Effectiveness of Deep Features as a Perceptual Metric', version
0.1 of its weights.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.core.checkpoint import read_state
from lipwright.core.errors import CheckpointError

_CONVS = {0: (3, 64, 11, 4, 2), 3: (64, 192, 5, 1, 2), 6: (192, 384, 3, 1, 1), 8: (384, 256, 3, 1, 1),
          10: (256, 256, 3, 1, 1)}  # fmt: skip
"""Index in torchvision's `features` to (in, out, kernel, stride, padding)."""
_POOL_BEFORE = {3, 6}
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""ImageNet's mean and deviation for pictures in [-1, 1]."""
SMALLEST = 64
"""Pixels of the shorter side below which the last layers see next to nothing."""


class Lpips(nn.Module):
    """Weighted squared distance of unit-length AlexNet activations; 0 for identical pictures."""

    def __init__(self, backbone: dict[str, Tensor], linear: dict[str, Tensor], where: str = "the weights") -> None:
        """CheckpointError when a tensor is missing or of another shape; more keys are ignored.

        Args:
            backbone: torchvision's AlexNet layout, `features.N.weight` and `.bias`.
            linear: `linK.model.1.weight` of shape (1, C, 1, 1) for the five layers.
            where: named in messages.
        """
        super().__init__()
        self.convs = nn.ModuleDict()
        for layer, (index, (channels, out, kernel, stride, padding)) in enumerate(_CONVS.items()):
            conv = nn.Conv2d(channels, out, kernel, stride, padding)
            state = {
                part: _taken(backbone, f"features.{index}.{part}", tuple(conv.state_dict()[part].shape), where)
                for part in ("weight", "bias")
            }
            conv.load_state_dict(state)
            self.convs[str(index)] = conv
            self.register_buffer(f"lin{layer}", _taken(linear, f"lin{layer}.model.1.weight", (1, out, 1, 1), where))
        self.register_buffer("shift", torch.tensor(_SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(_SCALE).view(1, 3, 1, 1))
        self.requires_grad_(False)

    def activations(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) in [-1, 1] to five activations, each of unit length along its channels."""
        x = (x - self.get_buffer("shift")) / self.get_buffer("scale")
        found = []
        for name, conv in self.convs.items():
            if int(name) in _POOL_BEFORE:
                x = F.max_pool2d(x, 3, 2)
            x = F.relu(conv(x))
            found.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """(B,) distances of two batches (B, 3, H, W) in [-1, 1]."""
        pairs = zip(self.activations(a), self.activations(b), strict=True)
        terms = [((x - y).square() * self.get_buffer(f"lin{k}")).sum(1).mean((1, 2)) for k, (x, y) in enumerate(pairs)]
        return torch.stack(terms).sum(0)

    def distance(self, real: NDArray[Any], generated: NDArray[Any]) -> float:
        """LPIPS of two RGB uint8 pictures (H, W, 3) of one size, sides of at least `SMALLEST` px."""
        with torch.inference_mode():
            a, b = (torch.from_numpy(np.ascontiguousarray(x)).permute(2, 0, 1)[None] for x in (real, generated))
            return float(self(a.float() / 127.5 - 1, b.float() / 127.5 - 1))


def load_lpips(backbone: str | os.PathLike[str], linear: str | os.PathLike[str]) -> Lpips:
    """LPIPS from two local files; CheckpointError when one is missing, unreadable or of another network."""
    return Lpips(read_state(backbone), read_state(linear), f"{backbone} with {linear}")


def _taken(state: dict[str, Tensor], key: str, shape: tuple[int, ...], where: str) -> Tensor:
    tensor = state.get(key)
    if tensor is None or tuple(tensor.shape) != shape:
        got = "nothing" if tensor is None else tuple(tensor.shape)
        raise CheckpointError(
            f"{where}: expected {key} of shape {shape}, got {got}; these are no LPIPS AlexNet weights"
        )
    return tensor.float()
