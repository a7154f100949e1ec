"""Training samples of the cross-modal renderer as tensors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """B samples."""

    strokes: Tensor
    """(B, 3, S, S) in [0, 1]."""
    speech: Tensor
    """(B, window, k)."""
    head: Tensor
    """(B, 3, S, S) wanted head picture, in [-1, 1]."""
    mouth: Tensor
    """(B, 3, S, S) wanted mouth picture: the mouth square at full size."""
    known: Tensor
    """(B, 1, S, S) 1 where the mouth picture is known; a moved one lacks a strip at its border."""
    head_weight: Tensor
    """(B, 1, S, S) of each pixel of the head picture in its reconstruction: 1, and more around the mouth."""
    weight: Tensor
    """(B, 1, S, S) the same of the mouth picture."""

    def to(self, device: torch.device, layout: torch.memory_format) -> Batch:
        """On a device."""
        pictures = (self.strokes, self.head, self.mouth, self.known, self.head_weight, self.weight)
        strokes, *others = (x.to(device, memory_format=layout, non_blocking=True) for x in pictures)
        return Batch(strokes, self.speech.to(device, non_blocking=True), *others)
