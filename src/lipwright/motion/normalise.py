"""Landmarks in pixels to nose-centred, scale-free coordinates and back.

K' = (K - c) / s with c the mean of points 27..35; no rotation is removed. Two scales:
`frobenius_scale` for reported numbers (all 68 points, frame by frame) and `production_scale`, one number per
video from mouth-free points, so that the scale can never leak how far the mouth is open.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError, SubjectError
from lipwright.core.ibug import CHEEK, MOUTH_JAW, NOSE_CENTRE, UPPER_FACE


def nose_centre(landmarks_px: F32) -> F32:
    """(T, 68, 2) to (T, 2): the mean of the nine nose points."""
    _check(landmarks_px)
    centre: F32 = landmarks_px[:, NOSE_CENTRE].mean(axis=1, dtype=np.float64).astype(np.float32)
    return centre


def frobenius_scale(landmarks_px: F32) -> NDArray[np.float64]:
    """(T,) Frobenius norm of the 68 nose-centred points of each frame, in pixels."""
    centred = landmarks_px - nose_centre(landmarks_px)[:, None]
    return np.sqrt((centred.astype(np.float64) ** 2).sum(axis=(1, 2)))


def production_scale(landmarks_px: F32, confidence: F32 | None = None) -> float:
    """Median over frames of the norm of the nose-centred points 0-3 and 13-47, in pixels.

    Frames with confidence 0 do not count. SubjectError when no frame holds a face.
    """
    centred = landmarks_px - nose_centre(landmarks_px)[:, None]
    norms = np.sqrt((centred[:, UPPER_FACE].astype(np.float64) ** 2).sum(axis=(1, 2)))
    if confidence is not None:
        norms = norms[confidence > 0]
    if len(norms) == 0 or not np.median(norms) > 0:
        raise SubjectError("no frame with a face to measure its size on; use footage that shows the face")
    return float(np.median(norms))


def normalise(landmarks_px: F32, scale: float) -> F32:
    """(T, 68, 2) pixels to (T, 68, 2) nose-centred units of `scale` pixels."""
    return ((landmarks_px - nose_centre(landmarks_px)[:, None]) / np.float32(scale)).astype(np.float32)


def place(points: F32, centre_px: F32, scale: float) -> F32:
    """The inverse for any K points: (T, K, 2) normalised at (T, 2) nose centres, in pixels."""
    return (points * np.float32(scale) + centre_px[:, None]).astype(np.float32)


def targets(normalised: F32) -> F32:
    """(T, 68, 2) to the (T, 29, 2) points a motion model predicts, mouth first."""
    return normalised[:, MOUTH_JAW]


def cheeks(normalised: F32) -> F32:
    """(T, 68, 2) to the (T, 8, 2) points the template gives."""
    return normalised[:, CHEEK]


def _check(landmarks: F32) -> None:
    if landmarks.ndim != 3 or landmarks.shape[1:] != (68, 2):
        raise ShapeError("landmarks", ("T", 68, 2), landmarks.shape)
