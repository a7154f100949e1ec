"""Faces seen from different angles, brought to one: what protocol `cross` compares.

A similarity transform alone leaves most of a head turn in the mouth's position: on nine people 19 to 80 %
of the variance of the aligned mouth centre was explained by pose, after turning back in three dimensions
2 to 24 % on eight of them (61 % on a six-second clip), and the rigid points fitted 1.6 to 4.7 times better.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, FaceTrack
from lipwright.face.align import Aligner, apply
from lipwright.face.landmarks68 import to_68
from lipwright.face.pose import rotation

_HEAD_FROM_IMAGE = np.array([1.0, -1.0, -1.0])
"""Image axes (y down, z away from the viewer) to head axes (y up, z towards the viewer)."""


def frontal_landmarks(track: FaceTrack) -> F32:
    """(T, 68, 2) iBUG points in px as if the head looked into the camera.

    Each frame's mesh is turned back by its own pose, p -> R^T p (orthographic: the mesh's depth is on the
    scale of its pixels), then seen from the front. Origin: the mesh's mean.
    """
    mesh = np.asarray(track.dense_px, dtype=np.float64)
    centred = (mesh - mesh.mean(axis=1, keepdims=True)) * _HEAD_FROM_IMAGE
    turned = np.einsum("tji,tkj->tki", rotation(track.pose_rad), centred)
    return to_68((turned * _HEAD_FROM_IMAGE).astype(np.float32))


def aligned_pair(real: FaceTrack, generated: FaceTrack) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both tracks frontal and in the real one's canonical frame, each frame fitted on the rigid points.

    Returns two (T, 68, 2) arrays in px of the real footage at its median face size.
    """
    seen, made = frontal_landmarks(real), frontal_landmarks(generated)
    aligner = Aligner.fit(seen)
    return apply(aligner.maps(seen), seen), apply(aligner.maps(made), made)
