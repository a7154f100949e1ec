"""Aligned crops: similarity maps from frame pixels to a canonical face frame, steady over time.

The canonical frame of a person is the mean shape of the rigid points (core.ibug.RIGID) at the footage's
own scale. Mouth and jaw never take part, so a crop cannot tell what the mouth does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.ibug import RIGID


def similarity(source: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None) -> F32:
    """Least-squares similarity (no reflection) from (T, K, 2) points to (K, 2) or (T, K, 2) points.

    Returns (T, 2, 3). Closed form of Umeyama 1991 in two dimensions: with centred complex points,
    a = sum(conj(s)·t) / sum(|s|²) holds scale and angle.
    """
    w = np.ones(source.shape[-2]) if weights is None else np.asarray(weights, np.float64)
    w = w / w.sum()
    s = np.asarray(source, np.float64)
    t = np.broadcast_to(np.asarray(target, np.float64), s.shape)
    s_mean, t_mean = (w[:, None] * s).sum(-2), (w[:, None] * t).sum(-2)
    sc, tc = s - s_mean[..., None, :], t - t_mean[..., None, :]
    dot = (w * (sc * tc).sum(-1)).sum(-1)
    cross = (w * (sc[..., 0] * tc[..., 1] - sc[..., 1] * tc[..., 0])).sum(-1)
    norm = np.maximum((w * (sc**2).sum(-1)).sum(-1), 1e-12)
    a, b = dot / norm, cross / norm
    linear = np.stack([np.stack([a, -b], -1), np.stack([b, a], -1)], -2)
    shift = t_mean - np.einsum("...ij,...j->...i", linear, s_mean)
    return np.concatenate([linear, shift[..., None]], -1).astype(np.float32)


def apply(affine: F32, points: F32) -> F32:
    """(…, 2, 3) maps on (…, K, 2) points."""
    return (
        np.einsum("...ij,...kj->...ki", affine[..., :2].astype(np.float64), points.astype(np.float64))
        + affine[..., None, :, 2]
    ).astype(np.float32)


def invert(affine: F32) -> F32:
    """Inverse of (…, 2, 3) affine maps."""
    linear = np.linalg.inv(affine[..., :2].astype(np.float64))
    shift = -np.einsum("...ij,...j->...i", linear, affine[..., 2].astype(np.float64))
    return np.concatenate([linear, shift[..., None]], -1).astype(np.float32)


def compose(outer: F32, inner: F32) -> F32:
    """`outer` after `inner`, both (…, 2, 3)."""
    linear = outer[..., :2].astype(np.float64) @ inner[..., :2].astype(np.float64)
    shift = np.einsum("...ij,...j->...i", outer[..., :2].astype(np.float64), inner[..., 2]) + outer[..., 2]
    return np.concatenate([linear, shift[..., None]], -1).astype(np.float32)


def zoom(affine: np.ndarray) -> float:
    """Pixels after a (2, 3) similarity per pixel before it."""
    return float(np.sqrt(abs(np.linalg.det(affine[:, :2].astype(np.float64)))))


@dataclass(frozen=True)
class Aligner:
    """A person's canonical frame: rigid points of the mean face, in mean-face pixels of the footage.

    One canonical unit is one pixel of the footage at its median face size, so a crop at scale 1 keeps
    the footage's own resolution.
    """

    rigid: F32
    """(19, 2) canonical rigid points, nose centre at the origin, eyes level."""

    @classmethod
    def fit(cls, landmarks_px: F32) -> Aligner:
        """Generalised Procrustes mean of the rigid points of (T, 68, 2) landmarks, median scale kept."""
        points = landmarks_px[:, RIGID].astype(np.float64)
        centred = points - points.mean(1, keepdims=True)
        size = np.linalg.norm(centred, axis=(1, 2))
        mean = centred[len(centred) // 2] / size[len(centred) // 2]
        for _ in range(5):
            aligned = apply(similarity(centred, mean), centred.astype(np.float32)).astype(np.float64)
            mean = aligned.mean(0)
            mean -= mean.mean(0)
            mean /= np.linalg.norm(mean)
        mean *= np.median(size)
        eyes = mean[-1] - mean[-4]  # RIGID ends with eye corners 36, 39, 42, 45
        angle = np.arctan2(eyes[1], eyes[0])
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        mean = mean @ turn.T
        nose = mean[6:15].mean(0)
        return cls((mean - nose).astype(np.float32))

    def maps(self, landmarks_px: F32) -> F32:
        """(T, 68, 2) landmarks to (T, 2, 3) canonical_from_frame similarities, each frame on its own.

        Steady because tracks are smoothed and 19 points vote; smoothing here again would make the map of a
        frame depend on how its neighbours were cut into windows.
        """
        return similarity(landmarks_px[:, RIGID], self.rigid)


@dataclass(frozen=True)
class Box:
    """A rectangle of the canonical frame and the pixels it is sampled at."""

    x: float
    """Left edge, canonical units."""
    y: float
    """Top edge."""
    width: float
    height: float
    pixels: tuple[int, int]
    """(width, height) of the crop."""

    def crop_from_canonical(self) -> F32:
        """(2, 3) map; box edges meet the outer edges of the border pixels."""
        sx, sy = self.pixels[0] / self.width, self.pixels[1] / self.height
        return np.array([[sx, 0, -self.x * sx - 0.5], [0, sy, -self.y * sy - 0.5]], np.float32)

    def crop_from_frame(self, canonical_from_frame: F32) -> F32:
        """(T, 2, 3) maps from frame pixels to crop pixels."""
        outer = np.broadcast_to(self.crop_from_canonical(), canonical_from_frame.shape)
        return compose(outer, canonical_from_frame)
