"""The recurrent baselines of papers A and B: what convolutions over time are compared with.

`SlidingLstm` follows public ObamaNet code: 26 filterbank channels at 100 Hz, 50 rows looked back on, an answer that
is 0.2 s late, one LSTM of 25 units, dropout 0.25, one dense layer. `AttentionBiLstm` stands for Tian et al.'s
bidirectional LSTM with attention, of which no public code exists: two bidirectional layers over a window of ±8 frames
of 4x26 numbers, additive attention over the window, one dense layer (SPEC 4, our definition). So that rows of a table
differ in the network alone, both get the features, components and normaliser of the others.

Both read a window for every frame, as published; a frame's answer then depends on its window alone. Run once over a
whole sequence (`sliding = False`) they are a hundred times faster and say nearly the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipwright.motion.pca import COMPONENTS

LOOK_BACK, DELAY = 50, 20
"""Rows of 10 ms."""
WINDOW = 8
"""Frames on either side that the bidirectional network sees."""
_RATE = 4
_BEFORE = LOOK_BACK - 1 - DELAY - 1
"""Rows before a frame's first that its window begins at; the window ends DELAY rows behind the frame's second."""
LSTM_HALO = max(-(-_BEFORE // _RATE), -(-(DELAY + 2 - _RATE) // _RATE))


class Recurrent(nn.Module):
    """A network that reads a window for every frame, or the whole sequence at once."""

    sliding: bool = True
    """Windows, as it is trained; False: once over everything."""


class SlidingLstm(Recurrent):
    """One LSTM over 50 rows, read out 0.2 s behind the frame."""

    def __init__(self, channels: int, width: int = 25, dropout: float = 0.25) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, width, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(width, COMPONENTS)

    def forward(self, features: Mapping[str, Tensor], n_frames: int, around: int = 0) -> Tensor:
        """See `mouth.Hearing`."""
        rows = torch.cat(list(features.values()), dim=-1)
        first, last = _RATE * around - _BEFORE, _RATE * (n_frames - around) - _RATE + 1 + DELAY + 1
        rows = functional.pad(rows, (0, 0, max(-first, 0), max(last - rows.shape[1], 0)))
        rows = rows[:, max(first, 0) : max(first, 0) + last - first]
        if self.sliding:
            windows = rows.unfold(1, LOOK_BACK, _RATE).transpose(2, 3)
            batch, frames = windows.shape[:2]
            states = self.lstm(windows.flatten(0, 1))[0][:, -1].unflatten(0, (batch, frames))
        else:
            states = self.lstm(rows)[0][:, LOOK_BACK - 1 :: _RATE]
        out: Tensor = self.dense(self.dropout(states))
        return out


class AttentionBiLstm(Recurrent):
    """Two bidirectional layers and attention over the frames around."""

    def __init__(self, channels: int, width: int = 256, dropout: float = 0.25) -> None:
        super().__init__()
        self.lstm = nn.LSTM(_RATE * channels, width, 2, batch_first=True, bidirectional=True, dropout=dropout)
        self.score = nn.Sequential(nn.Linear(2 * width, width), nn.Tanh(), nn.Linear(width, 1, bias=False))
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(2 * width, COMPONENTS)

    def forward(self, features: Mapping[str, Tensor], n_frames: int, around: int = 0) -> Tensor:
        """See `mouth.Hearing`."""
        rows = torch.cat(list(features.values()), dim=-1)
        frames = rows.unflatten(1, (n_frames, _RATE)).flatten(2)
        out = n_frames - 2 * around
        beyond = max(WINDOW - around, 0)
        frames = functional.pad(frames, (0, 0, beyond, beyond))
        skipped = max(around - WINDOW, 0)
        frames = frames[:, skipped : skipped + out + 2 * WINDOW]
        if self.sliding:
            windows = frames.unfold(1, 2 * WINDOW + 1, 1).transpose(2, 3)
            states = self.lstm(windows.flatten(0, 1))[0].unflatten(0, windows.shape[:2])
            weights = torch.softmax(self.score(states), dim=2)
        else:
            whole = self.lstm(frames)[0]
            states = whole.unfold(1, 2 * WINDOW + 1, 1).transpose(2, 3)
            weights = torch.softmax(self.score(whole).unfold(1, 2 * WINDOW + 1, 1).transpose(2, 3), dim=2)
        seen = (weights * states).sum(dim=2)
        answer: Tensor = self.dense(self.dropout(seen))
        return answer
