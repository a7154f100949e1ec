"""Time: what a network sees of the frames around its own, and how it learns to follow its own output.

Frames are aligned crops, so the output before lies where the next one will; it needs no warp. Nothing here can
tell the template's mouth: lines are those of wanted landmarks, and of an output only the part inside the hull
and near the *wanted* jaw is fed back (`masks.kept_mask`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lipwright.core.contracts import F32
from lipwright.render.translation.batch import Batch
from lipwright.render.translation.config import TEMPORAL_CHANNELS

_START = 0.1
"""Share of training samples without a frame before: the first frame of a video must be drawn too."""
_OWN_FROM = 0.5
"""Fraction of the budget from which no sample sees a real frame before any more."""


@dataclass(frozen=True)
class Before:
    """What a renderer remembers of the frame it drew last."""

    lines: F32
    """(S, S) in [0, 1]."""
    picture: F32
    """(3, S, S) in [-1, 1], 0 where it may not be used."""


def with_neighbours(inputs: F32, before: Before | None, lines_after: F32) -> F32:
    """(C, S, S) to (C + 5, S, S): lines before and after, colours before; without a frame before its own lines, 0."""
    size = inputs.shape[-1]
    out = np.zeros((len(inputs) + TEMPORAL_CHANNELS, size, size), np.float32)
    out[: len(inputs)] = inputs
    out[-5] = inputs[0] if before is None else before.lines
    out[-4] = lines_after
    if before is not None:
        out[-3:] = before.picture
    return out


def history_source(draw: float, fraction: float) -> str:
    """What the last frame of a training sample sees before it: 'nothing', its 'own' outputs or the 'real' frame.

    Args: `draw` in [0, 1) decides, `fraction` is how much of the budget is spent.
    Source: scheduled sampling (Bengio et al. 2015), linear; a network that only ever saw real frames drifts on
    its own ones.
    """
    if draw < _START:
        return "nothing"
    own = min(1.0, fraction / _OWN_FROM)
    return "own" if draw < _START + (1 - _START) * own else "real"


def fed(batch: Batch, before: Batch, picture: Tensor) -> Tensor:
    """Network inputs of `batch` after a frame whose output or real picture (B, 3, S, S) is given."""
    return torch.cat([batch.inputs[:, :-3], picture * before.kept], 1)


def from_nothing(batch: Batch) -> Tensor:
    """Network inputs of `batch` as the first frame of a video."""
    inputs = batch.inputs.clone()
    inputs[:, -5] = inputs[:, 0]
    inputs[:, -3:] = 0
    return inputs


def roll_out(generate: Callable[[Tensor], Tensor], frames: Sequence[Batch], conditioned: bool) -> list[Tensor]:
    """Raw outputs (B, 3, S, S) of consecutive frames, each seeing the output before if `conditioned`."""
    outputs: list[Tensor] = []
    for k, frame in enumerate(frames):
        inputs = frame.inputs
        if conditioned:
            inputs = fed(frame, frames[k - 1], outputs[-1]) if k else from_nothing(frame)
        outputs.append(generate(inputs).float())
    return outputs


def shown_together(frames: Sequence[Batch], pictures: Sequence[Tensor]) -> Tensor:
    """What the temporal discriminator sees: (B, 4 T, S, S), the lines of T frames and then their pictures."""
    return torch.cat([*(f.inputs[:, :1] for f in frames), *pictures], 1)
