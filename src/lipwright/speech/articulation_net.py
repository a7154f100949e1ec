"""The network behind `speech.articulation`: mel energies to phone posteriors, 182 ms of look-ahead at most."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from lipwright.speech.mel import CHANNELS

WIDTH = 176
DILATIONS: tuple[tuple[int, int], ...] = ((1, 1), (2, 1), (4, 1), (8, 1), (4, 0), (16, 0))
"""(dilation, 1 when it looks both ways or 0 when only back) of the residual blocks."""
FIRST = 5
BACK = FIRST // 2 + sum(d * (1 if both else 2) for d, both in DILATIONS)
"""Rows of 10 ms before a row that its posteriors see (beside the level, see `mel.centred`)."""
AHEAD = FIRST // 2 + sum(d for d, both in DILATIONS if both)
"""Rows after it."""


class _Residual(nn.Module):
    def __init__(self, dilation: int, both: int) -> None:
        super().__init__()
        self.pad = (dilation, dilation) if both else (2 * dilation, 0)
        self.wide = nn.Conv1d(WIDTH, WIDTH, 3, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.mix = nn.Conv1d(WIDTH, WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(functional.relu(self.norm(self.wide(functional.pad(x, self.pad)))))


class ArticulationNet(nn.Module):
    """Temporal convolutions over mel rows; made in `eval` mode.

    Args: `classes` of the output.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(CHANNELS, WIDTH, FIRST, padding=FIRST // 2)
        self.blocks = nn.Sequential(*(_Residual(d, both) for d, both in DILATIONS))
        self.norm = nn.BatchNorm1d(WIDTH)
        self.last = nn.Conv1d(WIDTH, classes, 1)
        self.eval()

    def forward(self, rows: Tensor) -> Tensor:
        """(B, classes, T) logits of (B, 40, T) rows of `mel.centred`; zeros stand beyond the ends."""
        found: Tensor = self.last(functional.relu(self.norm(self.blocks(self.first(rows)))))
        return found
