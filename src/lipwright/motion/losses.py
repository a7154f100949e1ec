"""Losses of the pose-adaptive cascade, paper B equations 1 to 4, and of system A's discriminator.

Each squared Frobenius norm is summed over the feature axis and averaged over frames and batch, so that the
paper's weights keep their literal meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

PCA_WEIGHT = 0.05
VELOCITY_WEIGHT = 0.6


def squared_error(truth: Tensor, predicted: Tensor) -> Tensor:
    """Equations 1 and 2: ‖truth - predicted‖² of (B, T, D), summed over D, mean over B and T."""
    return ((truth - predicted) ** 2).sum(dim=-1).mean()


def velocity_error(truth: Tensor, predicted: Tensor) -> Tensor:
    """Equation 3: the squared error of frame-to-frame differences of (B, T, D)."""
    return squared_error(truth[:, 1:] - truth[:, :-1], predicted[:, 1:] - predicted[:, :-1])


@dataclass(frozen=True)
class CascadeLoss:
    """The parts of equation 4."""

    pca: Tensor
    landmarks: Tensor
    velocity: Tensor

    @property
    def total(self) -> Tensor:
        """Equation 4: L_L2 + 0.05 L_pca + 0.6 L_int."""
        return self.landmarks + PCA_WEIGHT * self.pca + VELOCITY_WEIGHT * self.velocity


def cascade_loss(mouth: Tensor, mouth_predicted: Tensor, truth: Tensor, predicted: Tensor) -> CascadeLoss:
    """Loss of one batch.

    Args:
        mouth, mouth_predicted: (B, T, 13) principal components, truth and G1.
        truth, predicted: (B, T, 58) landmarks, truth and G2, in the same units.
    """
    return CascadeLoss(
        squared_error(mouth, mouth_predicted),
        squared_error(truth, predicted),
        velocity_error(truth, predicted),
    )


def lsgan(judged: Tensor, wanted: float) -> Tensor:
    """Least-squares GAN loss (Mao et al. 2017): mean squared distance of a discriminator's answers from `wanted`."""
    return ((judged - wanted) ** 2).mean()
