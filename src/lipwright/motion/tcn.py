"""Temporal convolutional block shared by systems A and B.

Residual blocks of two weight-normalised dilated convolutions, each followed by ReLU and dropout, with an
identity or 1x1 skip and ReLU after the sum (Bai, Kolter and Koltun 2018). Causal convolutions pad on the left
only; paper B wants non-causal ones, which pad d·(k - 1)/2 on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from lipwright.core.errors import ConfigError


class DilatedConv(nn.Module):
    """Weight-normalised convolution over time that keeps the length: (B, C, T) to (B, C', T)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int, causal: bool) -> None:
        super().__init__()
        span = dilation * (kernel - 1)
        if not causal and span % 2:
            raise ConfigError(f"a non-causal TCN needs an odd kernel, got {kernel}; use 3")
        self.padding = (span, 0) if causal else (span // 2, span // 2)
        conv = nn.Conv1d(inputs, outputs, kernel, dilation=dilation)
        nn.init.normal_(conv.weight, 0.0, 0.01)
        self.conv = weight_norm(conv)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) to (B, C', T)."""
        out: Tensor = self.conv(functional.pad(x, self.padding))
        return out


class ResidualBlock(nn.Module):
    """Two dilated convolutions and a skip."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int, causal: bool, dropout: float) -> None:
        super().__init__()
        self.first = DilatedConv(inputs, outputs, kernel, dilation, causal)
        self.second = DilatedConv(outputs, outputs, kernel, dilation, causal)
        self.dropout = nn.Dropout(dropout)
        self.skip: nn.Module = nn.Identity()
        if inputs != outputs:
            self.skip = nn.Conv1d(inputs, outputs, 1)
            nn.init.normal_(self.skip.weight, 0.0, 0.01)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) to (B, C', T)."""
        y = self.dropout(functional.relu(self.first(x)))
        y = self.dropout(functional.relu(self.second(y)))
        return functional.relu(y + self.skip(x))


class Tcn(nn.Module):
    """Residual blocks with growing dilation; same length out as in.

    With kernel 3 and dilations 1, 2, 4, 8 one output frame sees 61 inputs: ±30 when not causal.
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        dilations: Sequence[int] = (1, 2, 4, 8),
        kernel: int = 3,
        causal: bool = False,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        widths = [inputs] + [channels] * len(dilations)
        self.blocks = nn.Sequential(
            *(ResidualBlock(widths[i], widths[i + 1], kernel, d, causal, dropout) for i, d in enumerate(dilations))
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) to (B, channels, T)."""
        out: Tensor = self.blocks(x)
        return out


def reach(dilations: Sequence[int], kernel: int) -> int:
    """Frames on each side (on the left only, twice as many, when causal) that a `Tcn` sees."""
    return (kernel - 1) * sum(dilations)
