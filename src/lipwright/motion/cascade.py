"""The cascaded TCN of system B: G1 speech (and pose) to mouth components, G2 to landmarks.

`t̂ = G2(G1(a, p), p, f)`: 64x26 rows of logfbank per 16 frames go through two stride-2 convolutions to the
video rate, meet pose (and features already at that rate, such as phones) in a 1x1 convolution, then the TCN.
The widths of the published sizes are the defaults: 0.52 M and 0.51 M parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lipwright.motion.pca import COMPONENTS
from lipwright.motion.tcn import Tcn, reach

LANDMARK_NUMBERS, CHEEK_NUMBERS, POSE_NUMBERS = 58, 16, 3
_AROUND = 2  # the two convolutions of kernel 3 after a TCN; before G2's there are two more


@dataclass(frozen=True)
class CascadeConfig:
    """Shape of the two generators; the defaults are the paper's inputs."""

    slow_features: tuple[tuple[str, int], ...] = ()
    """(name, channels) of speech features with one row per video frame."""
    fast_features: tuple[tuple[str, int], ...] = (("logfbank", 26),)
    """(name, channels) of speech features with four rows per video frame."""
    pose_in_g1: bool = True
    """Whether G1 sees head pose."""
    pose_in_g2: bool = True
    """Whether G2 sees head pose."""
    cheeks: bool = True
    """Whether G2 sees the template's cheek points."""
    width: int = 128
    """Channels of the TCNs; the convolutions around them have half as many at their outer ends."""
    dilations: tuple[int, ...] = (1, 2, 4, 8)
    """Dilation of each residual block."""
    kernel: int = 3
    """Taps of every dilated convolution."""
    causal: bool = False
    """Causal TCNs (for streaming); paper B is not causal."""
    dropout: float = 0.2
    """Dropout inside the TCNs."""

    @property
    def halo(self) -> int:
        """Frames on either side that can change one output frame: 67 at the defaults.

        G1: 30 of its TCN, 2 of the convolutions behind it, 1 of the strided ones in front; G2: 30 + 4.
        """
        tcns = 2 * reach(self.dilations, self.kernel) * (2 if self.causal else 1)
        return tcns + _AROUND + 1 + 2 * _AROUND


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv1d:
    return nn.Conv1d(inputs, outputs, 3, stride=stride, padding=1)


class _Tail(nn.Module):
    """Conv, conv, and two layers per frame: (B, width, T) to (B, numbers, T)."""

    def __init__(self, width: int, numbers: int) -> None:
        super().__init__()
        half = width // 2
        self.layers = nn.Sequential(
            _conv(width, width), nn.ReLU(), _conv(width, half), nn.ReLU(),
            nn.Conv1d(half, half, 1), nn.ReLU(), nn.Conv1d(half, numbers, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out


class MouthGenerator(nn.Module):
    """G1: speech (and pose) to 13 mouth components per frame."""

    def __init__(self, config: CascadeConfig) -> None:
        super().__init__()
        self.config = config
        half = config.width // 2
        fast = sum(n for _, n in config.fast_features)
        mixed = sum(n for _, n in config.slow_features) + POSE_NUMBERS * config.pose_in_g1
        self.front: nn.Module | None = None
        if fast:
            self.front = nn.Sequential(
                _conv(fast, half, stride=2), nn.ReLU(), _conv(half, config.width, stride=2), nn.ReLU()
            )
            mixed += config.width
        self.mix = nn.Conv1d(mixed, config.width, 1)
        self.tcn = Tcn(config.width, config.width, config.dilations, config.kernel, config.causal, config.dropout)
        self.tail = _Tail(config.width, COMPONENTS)

    def forward(self, features: Mapping[str, Tensor], pose: Tensor) -> Tensor:
        """Features {name: (B, rate·T, D)} and pose (B, T, 3) to (B, T, 13)."""
        parts = []
        if self.front is not None:
            rows = torch.cat([features[name] for name, _ in self.config.fast_features], dim=-1)
            parts.append(self.front(rows.transpose(1, 2)))
        parts += [features[name].transpose(1, 2) for name, _ in self.config.slow_features]
        if self.config.pose_in_g1:
            parts.append(pose.transpose(1, 2))
        x = torch.relu(self.mix(torch.cat(parts, dim=1)))
        out: Tensor = self.tail(self.tcn(x))
        return out.transpose(1, 2)


class LandmarkGenerator(nn.Module):
    """G2: mouth components, pose and cheeks to 29 landmarks per frame."""

    def __init__(self, config: CascadeConfig) -> None:
        super().__init__()
        self.config = config
        inputs = COMPONENTS + POSE_NUMBERS * config.pose_in_g2 + CHEEK_NUMBERS * config.cheeks
        half = config.width // 2
        self.front = nn.Sequential(_conv(inputs, half), nn.ReLU(), _conv(half, config.width), nn.ReLU())
        self.tcn = Tcn(config.width, config.width, config.dilations, config.kernel, config.causal, config.dropout)
        self.tail = _Tail(config.width, LANDMARK_NUMBERS)

    def forward(self, mouth: Tensor, pose: Tensor, cheeks: Tensor) -> Tensor:
        """(B, T, 13), (B, T, 3), (B, T, 16) to (B, T, 58)."""
        parts = [mouth]
        if self.config.pose_in_g2:
            parts.append(pose)
        if self.config.cheeks:
            parts.append(cheeks)
        out: Tensor = self.tail(self.tcn(self.front(torch.cat(parts, dim=-1).transpose(1, 2))))
        return out.transpose(1, 2)


class Cascade(nn.Module):
    """Both generators, trained jointly."""

    def __init__(self, config: CascadeConfig) -> None:
        super().__init__()
        self.config = config
        self.g1 = MouthGenerator(config)
        self.g2 = LandmarkGenerator(config)

    def forward(self, features: Mapping[str, Tensor], pose: Tensor, cheeks: Tensor) -> tuple[Tensor, Tensor]:
        """Standardised inputs to mouth components (B, T, 13) and landmarks (B, T, 58) in training units."""
        mouth = self.g1(features, pose)
        return mouth, self.g2(mouth, pose, cheeks)
