"""Losses of the translation renderer (pix2pixHD's, and stand-ins that need no outside weights)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from lipwright.render.translation.discriminators import N_LAYERS

Features = list[list[Tensor]]


def lsgan(features: Features, target: float) -> Tensor:
    """Sum over scales of the mean squared distance of the verdict from `target` (Mao et al. 2017)."""
    return torch.stack([((_full(scale[-1]) - target) ** 2).mean() for scale in features]).sum()


def vanilla(features: Features, target: float) -> Tensor:
    """Sum over scales of the cross entropy of the verdict, a logit, with `target` (Goodfellow et al. 2014; pix2pix)."""
    verdicts = [_full(scale[-1]) for scale in features]
    return torch.stack([F.binary_cross_entropy_with_logits(v, torch.full_like(v, target)) for v in verdicts]).sum()


def feature_matching(fake: Features, real: Features) -> Tensor:
    """L1 between all features but the verdict; weight (1/n_scales)·(4/(n_layers+1)); real side detached.

    Source: pix2pixHD equation 4 and its published weights.
    """
    weight = 4.0 / ((N_LAYERS + 1) * len(fake))
    terms = [
        F.l1_loss(_full(f), _full(r.detach()))
        for f_scale, r_scale in zip(fake, real, strict=True)
        for f, r in zip(f_scale[:-1], r_scale[:-1], strict=True)
    ]
    return weight * torch.stack(terms).sum()


def weighted_charbonnier(fake: Tensor, real: Tensor, weight: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Smooth L1 near zero, weighted per pixel: sum(w·sqrt(d²+e²)) / sum(w) of each picture, averaged.

    Args: fake, real (B, 3, H, W); weight (B, 1, H, W) >= 0.
    """
    return weighted_mean(torch.sqrt((fake - real) ** 2 + epsilon**2), weight)


def laplacian_distance(fake: Tensor, real: Tensor, weight: Tensor, levels: int = 4) -> Tensor:
    """Weighted L1 between Laplacian pyramids: an error at any scale counts where it is seen.

    A plain L1 is ruled by low frequencies; here each band is its own term (Bojanowski et al. 2018, Lap1, with
    equal weights because finer bands hold less energy already).
    """
    difference, total = fake - real, fake.new_zeros(())
    for level in range(levels):
        smaller = F.avg_pool2d(difference, 2)
        last = level == levels - 1
        size = (difference.shape[-2], difference.shape[-1])
        band = (
            difference if last else difference - F.interpolate(smaller, size=size, mode="bilinear", align_corners=False)
        )
        total = total + weighted_mean(band.abs(), weight)
        difference, weight = smaller, F.avg_pool2d(weight, 2)
    return total / levels


def weighted_mean(x: Tensor, weight: Tensor) -> Tensor:
    """Per picture first, so that a batch spread over several processes has the same mean."""
    return ((x * weight).sum((1, 2, 3)) / (x.shape[1] * weight.sum((1, 2, 3))).clamp_min(1e-6)).mean()


def _full(x: Tensor) -> Tensor:
    """At least float32: sums of bfloat16 features would lose the small differences."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
