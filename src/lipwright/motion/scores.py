"""How far predicted landmarks are from true ones: what a motion model is validated by.

Points are (T, 29, 2), mouth first. Distances come out in the unit that goes in.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.ibug import INNER_BOTTOM, INNER_TOP, MOUTH

_TOP = [MOUTH.index(i) for i in INNER_TOP]
_BOTTOM = [MOUTH.index(i) for i in INNER_BOTTOM]
N_MOUTH = len(MOUTH)


def aperture(points: F32) -> NDArray[np.float64]:
    """(T,) mean distance of opposite inner-lip points."""
    gaps = points[:, _TOP].astype(np.float64) - points[:, _BOTTOM]
    return np.linalg.norm(gaps, axis=-1).mean(axis=1)


def lmd(predicted: F32, truth: F32, centred: bool = False) -> float:
    """Mean distance of the 20 mouth points; `centred` removes each set's own mean first (shape only)."""
    a, b = predicted[:, :N_MOUTH].astype(np.float64), truth[:, :N_MOUTH].astype(np.float64)
    if centred:
        a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    return float(np.linalg.norm(a - b, axis=-1).mean())


def tracker_noise(truth: F32) -> float:
    """Mean distance that the tracker's frame noise alone causes, from third differences over time.

    White noise of variance v per coordinate has third differences of variance 20 v; the mean length of a
    2-D Gaussian vector is sqrt(π v / 2).
    """
    third = np.diff(truth[:, :N_MOUTH].astype(np.float64), n=3, axis=0)
    variance = (third**2).mean() / 20 if len(third) else 0.0
    return float(np.sqrt(np.pi * variance / 2))


def correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Pearson correlation of two series; 0 when one of them is constant."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def score(predicted: F32, truth: F32, mean: F32) -> dict[str, float]:
    """LMD against the mean mouth's, lip aperture correlation and amplitude, jitter ratio.

    Args:
        predicted, truth: (T, 29, 2).
        mean: (29, 2) the mean of the training frames.
    """
    still = np.broadcast_to(mean, truth.shape)
    own, real = aperture(predicted), aperture(truth)
    energy = (np.diff(predicted[:, :N_MOUTH], axis=0) ** 2).mean() / max(
        float((np.diff(truth[:, :N_MOUTH], axis=0) ** 2).mean()), 1e-20
    )
    return {
        "lmd": lmd(predicted, truth),
        "lmd_centred": lmd(predicted, truth, centred=True),
        "lmd_ratio": lmd(predicted, truth) / max(lmd(still, truth), 1e-12),
        "lmd_centred_ratio": lmd(predicted, truth, True) / max(lmd(still, truth, True), 1e-12),
        "aperture_correlation": correlation(own, real),
        "aperture_amplitude": float(own.std() / max(float(real.std()), 1e-12)),
        "jitter_ratio": float(energy),
        "tracker_noise": tracker_noise(truth),
    }
