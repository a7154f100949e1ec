"""How the lips open and how the sound swells, as two curves of one rate that can be laid over each other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from lipwright.core.errors import ShapeError
from lipwright.core.ibug import lip_aperture
from lipwright.subject.levels import LEVEL_RATE, SMOOTH_S

F64 = NDArray[np.float64]

HIGH_PASS_S = 0.32
"""Sigma of the Gaussian whose slow trend is removed from both curves."""
LOUDEST = 2.5
"""Deviations beyond which lip motion is cut: a tracking slip must not outvote the speech."""
_BLOCK = 4096


def curves(mouth: NDArray[Any], levels: F64, fps: float, good: NDArray[Any] | None) -> tuple[F64, F64, F64]:
    """Lips and sound on one time scale.

    Args:
        mouth: (T, 68, 2) landmarks in px, or a lip aperture (T,).
        levels: (R,) of a `LevelMeter`.
        fps: frames per second.
        good: (T,) bool, False where the mouth cannot be trusted; None: all frames are good.
    Returns:
        (N,) lip motion and (R,) level, both high-passed at LEVEL_RATE, zeros when nothing moves or sounds; and
        (N,) weight, 1 where the lips are good and else 0. ShapeError for other shapes.
    """
    openings = _openings(mouth)
    n_frames = openings.shape[1]
    usable = np.ones(n_frames) if good is None else np.asarray(good, dtype=np.float64)
    if usable.shape != (n_frames,):
        raise ShapeError("good", (n_frames,), usable.shape)
    n = int(n_frames / fps * LEVEL_RATE)
    at = (np.arange(n) + 0.5) / LEVEL_RATE * fps - 0.5
    weight = (np.interp(at, np.arange(n_frames), usable) > 0.99).astype(np.float64) if n else np.zeros(0)
    lips = np.zeros(n)
    for opening in openings if weight.any() else ():
        fine = gaussian_filter1d(np.interp(at, np.arange(n_frames), opening), SMOOTH_S * LEVEL_RATE, mode="nearest")
        moving = _high_pass(fine, weight)
        deviation = float(np.sqrt((weight * moving**2).sum() / weight.sum()))
        if deviation <= 1e-6 * max(1e-6, float(np.abs(opening).max())):
            return np.zeros(n), levels, weight
        lips += np.clip(moving / deviation, -LOUDEST, LOUDEST)
    varies = len(levels) > 0 and float(np.ptp(levels)) > 1e-6
    sound = _high_pass(levels, np.ones(len(levels))) if varies else np.zeros(len(levels))
    return lips * weight, sound, weight


def _openings(mouth: NDArray[Any]) -> F64:
    """(C, T) inner lips, outer lips and jaw of landmarks, in face sizes; or the one aperture given."""
    array = np.asarray(mouth)
    if array.ndim == 1:
        return np.asarray(array, dtype=np.float64)[None]
    if array.ndim != 3 or array.shape[1:] != (68, 2):
        raise ShapeError("mouth", ("T", 68, 2), array.shape)
    # In blocks: a copy of an hour's landmarks would be larger than everything else here.
    blocks = [_distances(array[a : a + _BLOCK]) for a in range(0, len(array), _BLOCK)]
    inner, outer, jaw, size = np.concatenate(blocks, axis=1) if blocks else np.zeros((4, 0))
    # Shots of different sizes count alike; the size must not carry the tracker's noise.
    size = gaussian_filter1d(size, 5, mode="nearest") if len(size) else size
    return np.stack([inner, outer, jaw]) / np.maximum(size, 1e-3)


def _distances(landmarks: NDArray[Any]) -> F64:
    """(4, T) inner lips, outer lips, chin to nose, and a size that does not move with speech; px."""

    def between(a: list[int], b: list[int]) -> F64:
        difference = landmarks[:, a].astype(np.float64) - landmarks[:, b]
        return np.asarray(np.linalg.norm(difference, axis=-1).mean(-1), dtype=np.float64)

    size = between([36], [45]) + between([27], [33])
    return np.stack([lip_aperture(landmarks), between([50, 51, 52], [58, 57, 56]), between([8], [33]), size])


def _high_pass(curve: F64, weight: F64) -> F64:
    """The curve less its slow trend, which is taken over rows of weight 1 only."""

    def slow(values: F64) -> F64:
        return np.asarray(gaussian_filter1d(values, HIGH_PASS_S * LEVEL_RATE, mode="nearest"), dtype=np.float64)

    if not len(curve):
        return curve
    return np.asarray(curve - slow(curve * weight) / np.maximum(slow(weight), 1e-6), dtype=np.float64)
