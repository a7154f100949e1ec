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
    place: Tensor
    """(B,) place in the data of the frame that speaks."""

    def to(self, device: torch.device, layout: torch.memory_format) -> Batch:
        """On a device."""

        def maps(x: Tensor) -> Tensor:
            return x.to(device, memory_format=layout, non_blocking=True)

        speech, place = (x.to(device, non_blocking=True) for x in (self.speech, self.place))
        weights = maps(self.known), maps(self.head_weight), maps(self.weight)
        return Batch(maps(self.strokes), speech, maps(self.head), maps(self.mouth), *weights, place)
