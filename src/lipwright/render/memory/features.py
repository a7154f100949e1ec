"""What makes two mouths alike: lips, inner lips, jaw, opening and head pose in the person's canonical frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.ibug import INNER_BOTTOM, INNER_TOP, MOUTH_JAW

_TOP = [MOUTH_JAW.index(i) for i in INNER_TOP]
_BOTTOM = [MOUTH_JAW.index(i) for i in INNER_BOTTOM]


@dataclass(frozen=True)
class ShapeWeights:
    """What counts how much."""

    outer: float = 1.0
    """Weight of outer-lip points."""
    inner: float = 2.0
    """Weight of inner-lip points: they decide closure and teeth."""
    jaw: float = 0.35
    """Weight of jaw points."""
    pose: float = 0.5
    """Weight of one radian of head turn, in eye distances per point."""
    aperture: float = 1.0
    """Extra weight of how far the lips are apart: a closed mouth must come from a closed mouth."""


def describe(shapes: F32, pose_rad: F32, eye_distance: float, weights: ShapeWeights) -> F32:
    """(N, 62) descriptors of (N, 29, 2) canonical MOUTH_JAW points and (N, 3) head poses.

    Squared distances between them are weighted mean squared distances of the points, in squared eye distances.
    """
    w = np.repeat([weights.outer, weights.inner, weights.jaw], [12, 8, 9])
    each = (np.sqrt(w / w.sum()) / eye_distance).astype(np.float32)
    points = (shapes * each[:, None]).reshape(len(shapes), -1)
    gap = shapes[:, _BOTTOM, 1].mean(1) - shapes[:, _TOP, 1].mean(1)
    gap = gap[:, None] * np.float32(weights.aperture / eye_distance)
    turn = pose_rad * np.float32(np.sqrt(weights.pose) * 0.3)
    return np.concatenate([points, gap, turn], 1).astype(np.float32)
