"""The cascaded TCN of system B: G1 speech (and pose) to mouth components, G2 to landmarks.

`t̂ = G2(G1(a, p), p, f)`: 64x26 rows of logfbank per 16 frames go through two stride-2 convolutions to the
video rate, meet pose (and features already at that rate, such as phones) in a 1x1 convolution, then the TCN.
The widths of the published sizes are the defaults: 0.52 M and 0.51 M parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipwright.motion.pca import COMPONENTS
from lipwright.motion.tcn import Tcn, reach

LANDMARK_NUMBERS, CHEEK_NUMBERS, POSE_NUMBERS = 58, 16, 3
_AFTER = 2
"""Convolutions of kernel 3 behind a TCN; before G2's there are as many."""


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
    """Every convolution looks back only (for streaming); paper B is not causal."""
    lookahead: int = 0
    """Causal networks: frames of the future that a frame is told after, so that it can hear them."""
    dropout: float = 0.2
    """Dropout inside the TCNs."""

    def blind(self) -> CascadeConfig:
        """The same that sees neither pose nor cheeks."""
        return replace(self, pose_in_g1=False, pose_in_g2=False, cheeks=False)

    @property
    def mouth_halo(self) -> int:
        """Frames on either side that can change one output frame of G1: 33 at the defaults.

        30 of its TCN, 2 of the convolutions behind it, 1 of the strided ones in front. Causal networks look back
        twice as far and not ahead, or `lookahead` frames.
        """
        return (2 if self.causal else 1) * (reach(self.dilations, self.kernel) + _AFTER) + 1

    @property
    def halo(self) -> int:
        """The same of both generators: 67 at the defaults, 34 of them G2's."""
        return self.mouth_halo + (2 if self.causal else 1) * (reach(self.dilations, self.kernel) + 2 * _AFTER)


class _Conv(nn.Conv1d):
    """Kernel 3, length kept: one zero on either side, or two on the left when causal.

    With stride 2 both are the same, since the zero on the right is never read: four rows give one frame that has
    seen nothing behind its own.
    """

    def __init__(self, inputs: int, outputs: int, causal: bool = False, stride: int = 1) -> None:
        left = causal and stride == 1
        super().__init__(inputs, outputs, 3, stride=stride, padding=0 if left else 1)
        self._left = left

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T) to (B, C', T / stride)."""
        return super().forward(functional.pad(x, (2, 0)) if self._left else x)


def delayed(rows: Tensor, frames: int, n_frames: int) -> Tensor:
    """(B, rate·T, D) with `frames` frames of zeros behind it: what a network that answers late has to hear out."""
    if not frames:
        return rows
    return functional.pad(rows, (0, 0, 0, frames * (rows.shape[1] // n_frames)))


def listening(channels: int, width: int) -> nn.Sequential:
    """(B, channels, 4T) rows to (B, width, T): two convolutions of stride 2."""
    half = width // 2
    return nn.Sequential(_Conv(channels, half, stride=2), nn.ReLU(), _Conv(half, width, stride=2), nn.ReLU())


class _Tail(nn.Module):
    """Conv, conv, and two layers per frame: (B, width, T) to (B, numbers, T)."""

    def __init__(self, width: int, numbers: int, causal: bool) -> None:
        super().__init__()
        half = width // 2
        self.layers = nn.Sequential(
            _Conv(width, width, causal), nn.ReLU(), _Conv(width, half, causal), nn.ReLU(),
            nn.Conv1d(half, half, 1), nn.ReLU(), nn.Conv1d(half, numbers, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out


class MouthGenerator(nn.Module):
    """G1: speech (and pose) to 13 mouth components per frame.

    `plain` leaves the 1x1 convolution out where there is nothing to mix: then it is the generator of system A.
    """

    def __init__(self, config: CascadeConfig, plain: bool = False) -> None:
        super().__init__()
        self.config = config
        fast = sum(n for _, n in config.fast_features)
        mixed = sum(n for _, n in config.slow_features) + POSE_NUMBERS * config.pose_in_g1
        self.front: nn.Module | None = listening(fast, config.width) if fast else None
        alone = plain and self.front is not None and not mixed
        mixed += config.width * (self.front is not None)
        self.mix: nn.Module = nn.Identity() if alone else nn.Conv1d(mixed, config.width, 1)
        self.tcn = Tcn(config.width, config.width, config.dilations, config.kernel, config.causal, config.dropout)
        self.tail = _Tail(config.width, COMPONENTS, config.causal)

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
        half, causal = config.width // 2, config.causal
        self.front = nn.Sequential(_Conv(inputs, half, causal), nn.ReLU(), _Conv(half, config.width, causal), nn.ReLU())
        self.tcn = Tcn(config.width, config.width, config.dilations, config.kernel, causal, config.dropout)
        self.tail = _Tail(config.width, LANDMARK_NUMBERS, causal)

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

    def forward(
        self, features: Mapping[str, Tensor], pose: Tensor, cheeks: Tensor, around: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Standardised inputs to mouth components (B, T, 13) and landmarks (B, T, 58) in training units.

        `around`: frames at either end that only give context and are left out of the result.
        """
        n, late = pose.shape[1], self.config.lookahead
        heard = {name: delayed(rows, late, n) for name, rows in features.items()}
        pose, cheeks = delayed(pose, late, n), delayed(cheeks, late, n)
        mouth = self.g1(heard, pose)
        inner = slice(late + around, late + n - around)
        return mouth[:, inner], self.g2(mouth, pose, cheeks)[:, inner]
