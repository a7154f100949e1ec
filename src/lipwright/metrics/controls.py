"""Mouths that do not speak: the baselines every landmark number is read against.

Both keep the real head and replace mouth and jaw, in the canonical aligned frame, by one fixed shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.ibug import MOUTH_JAW, lip_aperture
from lipwright.face.align import Aligner, apply, invert


def fixed_mouth(landmarks_px: NDArray[Any], mouth: NDArray[Any], aligner: Aligner) -> F32:
    """(T, 68, 2) track whose MOUTH_JAW points are `mouth` (29, 2), given in the aligner's frame."""
    track = np.array(landmarks_px, dtype=np.float32)
    frame_from_canonical = invert(aligner.maps(track))
    track[:, MOUTH_JAW] = apply(frame_from_canonical, np.broadcast_to(mouth, (len(track), *np.shape(mouth))))
    return track


def mean_mouth(landmarks_px: NDArray[Any]) -> F32:
    """(T, 68, 2): the real head with the mean mouth and jaw of the track in every frame."""
    aligner, aligned = _aligned(landmarks_px)
    return fixed_mouth(landmarks_px, aligned[:, MOUTH_JAW].mean(axis=0), aligner)


def frozen_mouth(landmarks_px: NDArray[Any], frame: int | None = None) -> F32:
    """(T, 68, 2): the real head with the mouth and jaw of one `frame` (None: `rest_frame`) in every frame."""
    aligner, aligned = _aligned(landmarks_px)
    index = rest_frame(landmarks_px) if frame is None else frame
    return fixed_mouth(landmarks_px, aligned[index, MOUTH_JAW], aligner)


def rest_frame(landmarks_px: NDArray[Any]) -> int:
    """Index of the most ordinary closed mouth.

    Of the tenth of all frames with the smallest lip aperture, the one nearest to their mean mouth shape.
    """
    _, aligned = _aligned(landmarks_px)
    aperture = lip_aperture(aligned)
    closed = np.argsort(aperture, kind="stable")[: max(1, len(aperture) // 10)]
    mouths = aligned[closed][:, MOUTH_JAW]
    distance = np.linalg.norm(mouths - mouths.mean(axis=0), axis=(1, 2))
    return int(closed[np.argmin(distance)])


def _aligned(landmarks_px: NDArray[Any]) -> tuple[Aligner, F32]:
    track = np.asarray(landmarks_px, dtype=np.float32)
    aligner = Aligner.fit(track)
    return aligner, apply(aligner.maps(track), track)
