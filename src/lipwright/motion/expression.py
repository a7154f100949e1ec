"""A slow expression, the smile, measured on footage: how wide and high the corners of the mouth are beyond speech.

Vowels spread lips and head turns move their corners, both within tenths of seconds; a smile lasts. So what a linear
model of speech and pose explains is taken away, and what is left is smoothed over more than a second. Ours; the paper
only names expressions as a limit (SPEC 6, "several modalities on one region").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError

_CORNERS, _EYES = (48, 54), (36, 45)
_LIPS = (51, 57)
"""Middles of the outer lips: corners are high or low beside them."""
_SMOOTHING_S = 0.7
"""Deviation of the Gaussian: what changes within a second goes, what lasts two stays."""
_RIDGE = 10.0
"""Frames' worth of prior that speech and pose explain nothing."""
_LEAST = 0.02
"""Eye distances: a person whose slow part stays below it does not smile, and noise must not become a range of -1 to 1."""
_PERCENTILE = 95


def corners(landmarks_px: F32) -> F32:
    """(T, 68, 2) landmarks to (T,) width of the mouth plus height of its corners over its middle, in eye distances."""
    left, right = landmarks_px[:, _EYES[0]], landmarks_px[:, _EYES[1]]
    eye = np.maximum(np.linalg.norm(right - left, axis=1), 1e-6)
    along = (right - left) / eye[:, None]
    up = np.stack([along[:, 1], -along[:, 0]], -1)
    apart = landmarks_px[:, _CORNERS[1]] - landmarks_px[:, _CORNERS[0]]
    lift = landmarks_px[:, _CORNERS].mean(1) - landmarks_px[:, _LIPS].mean(1)
    return (((apart * along).sum(1) + (lift * up).sum(1)) / eye).astype(np.float32)


def slow_smile(
    landmarks_px: F32, pose_rad: F32, heard: F32, good: NDArray[np.bool_], train: NDArray[np.int64], fps: float
) -> F32:
    """(T,) in [-1, 1]: the smile of every frame, 0 the person's own mean, ±1 nearly the most of the training frames.

    Args:
        landmarks_px: (T, 68, 2).
        pose_rad: (T, 3).
        heard: (T, window, k) windows of speech.
        good: (T,) where the mouth can be seen; elsewhere the frames around it decide.
        train: frames on which what speech explains, mean and range are fitted.
        fps: frames per second.
    """
    if not len(landmarks_px) == len(pose_rad) == len(heard) == len(good):
        raise ShapeError("heard", (len(landmarks_px), "W", "k"), heard.shape)
    seen = train[good[train]]
    middle = heard[:, heard.shape[1] // 2]
    turned = np.concatenate([pose_rad, pose_rad**2], 1)
    known = np.concatenate([middle, heard.mean(1), turned], 1).astype(np.float64)
    known = (known - known[seen].mean(0)) / np.maximum(known[seen].std(0), 1e-6)
    measured = corners(landmarks_px).astype(np.float64)
    rest = measured - measured[seen].mean()
    gram = known[seen].T @ known[seen] + _RIDGE * np.eye(known.shape[1])
    rest -= known @ np.linalg.solve(gram, known[seen].T @ rest[seen])
    sigma = _SMOOTHING_S * fps
    weight = gaussian_filter1d(good.astype(np.float64), sigma, mode="nearest")
    slow = gaussian_filter1d(np.where(good, rest, 0.0), sigma, mode="nearest") / np.maximum(weight, 1e-3)
    slow -= slow[seen].mean()
    reach = max(float(np.percentile(np.abs(slow[seen]), _PERCENTILE)), _LEAST)
    return np.clip(slow / reach, -1, 1).astype(np.float32)
