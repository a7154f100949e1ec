"""Distances between two tracks of one face, (T, 68, 2) iBUG points in pixels.

All are >= 0 and 0 for identical tracks; read them beside the tracker's noise (`steadiness.noise_distance`).
Sources: LMD as in the evaluation of ER-NeRF and SyncTalk (points 48-67, each set's mean removed); D_lip is
not defined by its paper, so three forms are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ShapeError
from lipwright.core.ibug import MOUTH

ALL = list(range(68))
LEFT_EYE_OUTER, RIGHT_EYE_OUTER = 36, 45


def landmark_distances(
    real_px: NDArray[Any], generated_px: NDArray[Any], points: Sequence[int] = MOUTH, centred: bool = False
) -> NDArray[np.float64]:
    """(T,) mean Euclidean distance over `points` in px; `centred` removes each set's mean first."""
    real, generated = _chosen(real_px, generated_px, points)
    if centred:
        real = real - real.mean(axis=1, keepdims=True)
        generated = generated - generated.mean(axis=1, keepdims=True)
    return np.asarray(np.linalg.norm(real - generated, axis=-1).mean(axis=1), dtype=np.float64)


def lmd(real_px: NDArray[Any], generated_px: NDArray[Any], centred: bool = False) -> float:
    """Lip landmark distance in px: mean over frames and the 20 mouth points.

    `centred=True` is the LMD of ER-NeRF and SyncTalk (shape only); False also counts where the mouth is.
    """
    return float(landmark_distances(real_px, generated_px, MOUTH, centred).mean())


def f_lmd(real_px: NDArray[Any], generated_px: NDArray[Any], centred: bool = False) -> float:
    """LMD over all 68 points, px."""
    return float(landmark_distances(real_px, generated_px, ALL, centred).mean())


def inter_ocular(landmarks_px: NDArray[Any]) -> float:
    """Mean distance of the outer eye corners 36 and 45 in px: divides a distance to make it size-free."""
    points = np.asarray(landmarks_px, dtype=np.float64)
    return float(np.linalg.norm(points[:, LEFT_EYE_OUTER] - points[:, RIGHT_EYE_OUTER], axis=-1).mean())


def d_lip_px(real_px: NDArray[Any], generated_px: NDArray[Any], frame_width: float) -> float:
    """First form of D_lip: raw mouth distance in px of a frame resized to 512 px wide."""
    return lmd(real_px, generated_px) * 512.0 / frame_width


def d_lip_centred(real_px: NDArray[Any], generated_px: NDArray[Any], frame_width: float) -> float:
    """Second form of D_lip: centred mouth distance in px of a frame resized to 512 px wide."""
    return lmd(real_px, generated_px, centred=True) * 512.0 / frame_width


def d_lip_frobenius(real_px: NDArray[Any], generated_px: NDArray[Any], frame_width: float) -> float:
    """Third form of D_lip: mean over frames of the Frobenius norm over the 20 points, at 512 px wide.

    For equal errors at every point this is sqrt(20) times the first form.
    """
    return float(frobenius_distances(real_px, generated_px).mean()) * 512.0 / frame_width


def velocity_error(real_px: NDArray[Any], generated_px: NDArray[Any], points: Sequence[int] = MOUTH) -> float:
    """Inter-frame MSE: mean over frames of |(m_t - m_{t-1}) - (g_t - g_{t-1})|^2 summed over points, px^2.

    Source: from equation 3 of the cascaded TCN paper. nan below two frames.
    """
    errors = velocity_errors(real_px, generated_px, points)
    return float(errors.mean()) if len(errors) else float("nan")


def velocity_distances(
    real_px: NDArray[Any], generated_px: NDArray[Any], points: Sequence[int] = MOUTH
) -> NDArray[np.float64]:
    """(T - 1,) landmark velocity difference: mean over points of |(m_t - m_{t-1}) - (g_t - g_{t-1})|, px a frame.

    Source: LVD of Zhou et al. 2020 (MakeItTalk), there in shares of the frame's size.
    """
    real, generated = _chosen(real_px, generated_px, points)
    return np.asarray(np.linalg.norm(np.diff(real - generated, axis=0), axis=-1).mean(axis=1), dtype=np.float64)


def velocity_errors(
    real_px: NDArray[Any], generated_px: NDArray[Any], points: Sequence[int] = MOUTH
) -> NDArray[np.float64]:
    """(T - 1,) the terms whose mean `velocity_error` is, px^2."""
    real, generated = _chosen(real_px, generated_px, points)
    return np.asarray((np.diff(real - generated, axis=0) ** 2).sum(axis=(1, 2)), dtype=np.float64)


def frobenius_distances(real_px: NDArray[Any], generated_px: NDArray[Any]) -> NDArray[np.float64]:
    """(T,) Frobenius norm over the 20 mouth points, px."""
    real, generated = _chosen(real_px, generated_px, MOUTH)
    return np.asarray(np.linalg.norm(real - generated, axis=(1, 2)), dtype=np.float64)


def _chosen(
    real_px: NDArray[Any], generated_px: NDArray[Any], points: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    real = np.asarray(real_px, dtype=np.float64)
    generated = np.asarray(generated_px, dtype=np.float64)
    if real.shape != generated.shape:
        raise ShapeError("generated_px", real.shape, generated.shape)
    index = list(points)
    return real[:, index], generated[:, index]
