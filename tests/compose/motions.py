"""Face tracks with a known head motion, for tests of template extension."""

from __future__ import annotations

import numpy as np

from lipwright.core.contracts import FaceTrack

FACE = np.random.default_rng(0).uniform(0, 200, (68, 2))
FACE[0], FACE[16] = (0, 100), (200, 100)
"""A face 200 pixels wide."""


def track(x: np.ndarray, y: np.ndarray | None = None, present: np.ndarray | None = None) -> FaceTrack:
    """A head that moves by (x, y) pixels without turning."""
    n = len(x)
    moved = FACE + 300 + np.stack([x, np.zeros(n) if y is None else y], -1)[:, None]
    seen = np.ones(n) if present is None else present
    return FaceTrack(
        moved.astype(np.float32),
        np.zeros((n, 0, 3), np.float32),
        seen.astype(np.float32),
        np.zeros((n, 3), np.float32),
        (800, 800),
    )


def swaying(n: int = 500, period: float = 90.0, size: float = 20.0) -> FaceTrack:
    """Sways evenly: the same moment comes back every `period` frames."""
    return track(size * np.sin(2 * np.pi * np.arange(n) / period))


def drifting(n: int = 500, speed: float = 1.0) -> FaceTrack:
    """Moves to the right for ever: no moment comes back, and the head never rests."""
    return track(speed * np.arange(n))


def nodding_at_the_end(n: int = 500) -> FaceTrack:
    """Drifts slowly, with one quick nod in the last second."""
    t = np.arange(n)
    nod = 25 * np.exp(-0.5 * ((t - (n - 12)) / 4.0) ** 2)
    return track(0.3 * t, nod)


def wandering(n: int = 700, seed: int = 0) -> FaceTrack:
    """Smooth random motion, as of a person who speaks."""
    from scipy.ndimage import gaussian_filter1d

    noise = np.random.default_rng(seed).normal(size=(2, n))
    x, y = 60 * gaussian_filter1d(noise, 12, axis=1)
    return track(x, y)
