"""Networks of the mouth alone: system A's generator and the recurrent baselines say nothing of the jaw.

They predict 13 mouth components. The 20 mouth points are these components' own; the nine of the jaw follow them by
a linear regression measured on the training frames (ours: a chin that stays while the lips part looks wrong).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from lipwright.core.contracts import F32
from lipwright.motion.cascade import LANDMARK_NUMBERS, CascadeConfig, MouthGenerator, delayed
from lipwright.motion.pca import COMPONENTS

_RIDGE = 1e-4


class Hearing(Protocol):
    """Standardised speech features to mouth components."""

    def __call__(self, features: Mapping[str, Tensor], n_frames: int, around: int) -> Tensor:
        """{name: (B, rate·T, D)} to (B, T - 2·around, 13); `around` frames at either end only give context."""


class SpeechTcn(nn.Module):
    """System A's generator: two strided convolutions, one TCN block, two convolutions, two layers per frame.

    256x26 rows of logfbank to 64x13 (poster; sizes in SPEC 3): 0.50 M parameters at width 128.
    """

    def __init__(self, config: CascadeConfig) -> None:
        super().__init__()
        self.generator, self.late = MouthGenerator(config, plain=True), config.lookahead

    def forward(self, features: Mapping[str, Tensor], n_frames: int, around: int = 0) -> Tensor:
        """See `Hearing`."""
        heard = {name: delayed(rows, self.late, n_frames) for name, rows in features.items()}
        first = next(iter(features.values()))
        nothing = first.new_zeros(first.shape[0], n_frames + self.late, 0)
        out: Tensor = self.generator(heard, nothing)
        return out[:, self.late + around : self.late + n_frames - around]


class MouthOnly(nn.Module):
    """A network of the mouth alone with the interface of a `Cascade`."""

    scale: Tensor
    spread: Tensor

    def __init__(self, hearing: nn.Module) -> None:
        super().__init__()
        self.hearing = hearing
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("spread", torch.zeros(COMPONENTS, LANDMARK_NUMBERS))

    def measure(self, mouth: F32, landmarks: F32, basis: F32) -> None:
        """Take over what the training frames say.

        Args:
            mouth: (N, 13) components and landmarks: (N, 58), both without their means and in training units.
            basis: (13, 40) of the components.
        """
        a, jaw = mouth.astype(np.float64), landmarks[:, basis.shape[1] :].astype(np.float64)
        gram = a.T @ a
        follows = np.linalg.solve(gram + _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram)), a.T @ jaw)
        self.spread.copy_(torch.from_numpy(np.concatenate([basis, follows], axis=1).astype(np.float32)))
        self.scale.copy_(torch.tensor(float(np.sqrt((a**2).mean()))))

    def forward(
        self, features: Mapping[str, Tensor], pose: Tensor, cheeks: Tensor, around: int = 0
    ) -> tuple[Tensor, Tensor]:
        """As `Cascade`; pose and cheeks are not looked at. (B, T, 13) and (B, T, 58) in training units."""
        mouth: Tensor = self.scale * self.hearing(features, pose.shape[1], around)
        return mouth, mouth @ self.spread
