"""The energies of AudioDVP and Deep3DFaceRecon, for comparing with them and for fits by gradient descent.

AudioDVP (Wen et al. 2020): E = 1.9 photo + 1.6e-3 landmarks + 3e-4 (|alpha|² + 1.7e-3 |beta|² + 0.8 |delta|²).
Deep3DFaceRecon (Deng et al. 2019): photo as a mean of colour distances inside a mask.
"""

from __future__ import annotations

import torch
from torch import Tensor

PHOTO, LANDMARKS, PRIOR = 1.9, 1.6e-3, 3e-4
GEOMETRY_PRIOR, TEXTURE_PRIOR, EXPRESSION_PRIOR = 1.0, 1.7e-3, 0.8


def audiodvp_weights() -> Tensor:
    """(68,) 50 for brows, eyes and mouth (17 to 26 and 36 to 67), 1 for jaw and nose."""
    weights = torch.ones(68)
    weights[17:27] = 50
    weights[36:] = 50
    return weights


def deep3d_weights() -> Tensor:
    """(68,) 20 for 28 to 30 and the inner lips, else 1."""
    weights = torch.ones(68)
    weights[28:31] = 20
    weights[60:] = 20
    return weights


def audiodvp_landmark_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Σ w |l - l*|² / 68 of (B, 68, 2), summed over the batch: their batch is 5, so scale others by 5 / B."""
    squares = ((found - wanted) ** 2).sum(-1)
    return (squares * audiodvp_weights().to(squares)).sum() / 68


def deep3d_landmark_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Σ w |l - l*|² / (68 B) of (B, 68, 2)."""
    squares = ((found - wanted) ** 2).sum(-1)
    return (squares * deep3d_weights().to(squares)).sum() / (68 * len(found))


def deep3d_photo_loss(drawn: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Mean over the mask of the distance between colours; (B, 3, H, W), mask (B, 1, H, W)."""
    apart = torch.sqrt(1e-6 + ((drawn - real) ** 2).sum(1, keepdim=True))
    return (apart * mask).sum() / mask.sum().clamp(min=1)


def audiodvp_prior(geometry: Tensor, texture: Tensor, expression: Tensor) -> Tensor:
    """The weighted squared lengths of the coefficients, summed over the batch."""
    squares = [(c**2).sum() for c in (geometry, texture, expression)]
    return GEOMETRY_PRIOR * squares[0] + TEXTURE_PRIOR * squares[1] + EXPRESSION_PRIOR * squares[2]
