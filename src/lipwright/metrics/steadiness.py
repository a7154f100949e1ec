"""Motion from frame to frame: jitter of pixels and landmarks, the tracker's own noise, frozen frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ShapeError
from lipwright.metrics.detail import luma

THIRD_DIFFERENCE_GAIN = 20.0
"""1 + 9 + 9 + 1: how much white noise of variance 1 grows in third differences (1, -3, 3, -1)."""


FROZEN_BELOW = 0.1
"""`frame_energy` below which a frame repeats the one before: a duplicated frame has 0, or up to about 0.05
after H.264; frames of a filmed person that differ were above 0.25 in six clips."""


def frame_energy(previous: NDArray[Any], current: NDArray[Any]) -> float:
    """Mean squared change of luma between two consecutive frames (same box), in squared grey levels.

    Each may be RGB or already luma.
    """
    if previous.shape[:2] != current.shape[:2]:
        raise ShapeError("current", previous.shape, current.shape)
    return float(np.mean(np.square(luma(current) - luma(previous), dtype=np.float64)))


def jitter_ratio(generated: Sequence[float], real: Sequence[float]) -> float:
    """Generated over real inter-frame energy: sum of `frame_energy` over frames.

    1 moves as much as real; above flickers or jitters, below is frozen or over-smoothed. nan when the real
    video does not move at all.
    """
    bottom = float(np.sum(real))
    return float(np.sum(generated)) / bottom if bottom > 0 else float("nan")


def third_difference_energy(landmarks_px: NDArray[Any]) -> float:
    """Mean squared third difference per coordinate of (T, K, 2) tracks, px^2; nan below 4 frames.

    Smooth motion vanishes in third differences, so what is left is jitter.
    """
    energies = third_difference_energies(landmarks_px)
    return float(energies.mean()) if len(energies) else float("nan")


def third_difference_energies(landmarks_px: NDArray[Any]) -> NDArray[np.float64]:
    """(T - 3,) the terms whose mean `third_difference_energy` is; empty below 4 frames."""
    third = np.diff(np.asarray(landmarks_px, dtype=np.float64), n=3, axis=0)
    return np.asarray((third * third).mean(axis=(1, 2)), dtype=np.float64)


def landmark_jitter_ratio(generated_px: NDArray[Any], real_px: NDArray[Any]) -> float:
    """`third_difference_energy` of the generated track over the real one's; 1 is as steady as real."""
    bottom = third_difference_energy(real_px)
    return third_difference_energy(generated_px) / bottom if bottom > 0 else float("nan")


def tracker_noise(landmarks_px: NDArray[Any]) -> float:
    """Standard deviation per coordinate of the tracker's noise in px: sqrt(third differences^2 / 20).

    Source: (noise = third differences squared / 20). The floor of every landmark number.
    """
    return float(np.sqrt(third_difference_energy(landmarks_px) / THIRD_DIFFERENCE_GAIN))


def noise_distance(sigma_real: float, sigma_generated: float = 0.0) -> float:
    """Mean Euclidean distance in px that tracker noise alone gives between two tracks of the same face.

    The difference of two points has variance s1^2 + s2^2 per coordinate, and the length of a 2-D Gaussian
    vector has mean sigma sqrt(pi / 2) (Rayleigh). The floor for LMD.
    """
    return float(np.hypot(sigma_real, sigma_generated) * np.sqrt(np.pi / 2))


def frozen_share(energies: Sequence[float], threshold: float = FROZEN_BELOW) -> float:
    """Share of frame changes whose `frame_energy` is below `threshold` squared grey levels; range [0, 1]."""
    return float(np.mean(np.asarray(energies) < threshold)) if len(energies) else float("nan")
