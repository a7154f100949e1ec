"""Samples as tensors, and what a renderer's output means on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lipwright.render.translation.layers import halved


@dataclass(frozen=True)
class Batch:
    """B samples."""

    inputs: Tensor
    """(B, C, S, S) facial map, then blanked template, then what `temporal_inputs` adds."""
    target: Tensor
    """(B, 3, S, S) in [-1, 1]."""
    mask: Tensor
    """(B, 1, S, S) where the output is used."""
    outside: Tensor
    """(B, 3, S, S) what is seen where it is not."""
    mouth: list[tuple[int, int, int, int]]
    """(left, top, width, height) of each sample's mouth box."""
    kept: Tensor
    """(B, 1, S, S) what of the output the frame after may see: never shaped by the template's own jaw."""

    def to(self, device: torch.device, layout: torch.memory_format) -> Batch:
        """On a device."""
        return self._changed(lambda x: x.to(device, memory_format=layout, non_blocking=True), self.mouth)

    def halved(self) -> Batch:
        """At half size (rounded up), for the first stage of coarse-to-fine training."""
        return self._changed(halved, [(x // 2, y // 2, w // 2, h // 2) for x, y, w, h in self.mouth])

    def _changed(self, change: Callable[[Tensor], Tensor], mouth: list[tuple[int, int, int, int]]) -> Batch:
        inputs, target, mask, outside, kept = map(
            change, (self.inputs, self.target, self.mask, self.outside, self.kept)
        )
        return Batch(inputs, target, mask, outside, mouth, kept)

    def composed(self, raw: Tensor) -> Tensor:
        """A generator's output (B, 3, S, S) where it is used, around it what the template shows."""
        return raw * self.mask + self.outside * (1 - self.mask)

    def mouths(self, x: Tensor) -> Tensor:
        """The mouth boxes of (B, C, S, S) pictures."""
        return torch.stack([x[i, :, t : t + h, left : left + w] for i, (left, t, w, h) in enumerate(self.mouth)])
