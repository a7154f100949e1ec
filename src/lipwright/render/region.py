"""The part of the face that speech changes, in the person's canonical frame, from rigid landmarks alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.ibug import MOUTH_JAW
from lipwright.face.align import Aligner, apply, invert

_MARGIN = 0.30
"""Room around the open-jaw envelope, in eye distances: skin that follows, and neck that must stay."""
_MOUTH_MARGIN = 0.14
"""Room that a remembered mouth needs around the envelope: the soft rim of its mask."""


@dataclass(frozen=True)
class FaceGeometry:
    """A person's canonical frame and the envelope their mouth and jaw ever reach in it."""

    aligner: Aligner
    mean_shape: F32
    """(68, 2) canonical mean of all landmarks."""
    envelope: tuple[float, float, float, float]
    """(x0, y0, x1, y1) canonical bounds of mouth and jaw over the training footage."""

    @classmethod
    def fit(cls, landmarks_px: F32) -> FaceGeometry:
        """From (T, 68, 2) training landmarks."""
        aligner = Aligner.fit(landmarks_px)
        canonical = apply(aligner.maps(landmarks_px), landmarks_px)
        moving = canonical[:, MOUTH_JAW]
        # 0.5 % tails: one bad track must not widen the region for ever.
        x0, y0 = np.quantile(moving.min(1), 0.005, axis=0)
        x1, y1 = np.quantile(moving.max(1), 0.995, axis=0)
        return cls(aligner, canonical.mean(0), (float(x0), float(y0), float(x1), float(y1)))

    @property
    def eye_distance(self) -> float:
        """Outer eye corner distance in canonical units: the yardstick of every margin."""
        return float(np.linalg.norm(self.mean_shape[45] - self.mean_shape[36]))

    @property
    def region(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) canonical rectangle a sewn renderer may touch."""
        return self._grown(_MARGIN)

    @property
    def mouth_region(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1) canonical rectangle that is taken from remembered frames."""
        return self._grown(_MOUTH_MARGIN)

    def _grown(self, margin: float) -> tuple[float, float, float, float]:
        x0, _, x1, y1 = self.envelope
        pad = margin * self.eye_distance
        top = float(self.mean_shape[27:36, 1].mean())
        return (x0 - pad, top, x1 + pad, y1 + pad)

    def frame_boxes(
        self, canonical_from_frame: F32, region: tuple[float, float, float, float] | None = None
    ) -> np.ndarray:
        """(T, 4) integer x0, y0, x1, y1 in frame pixels around `region` (the sewn one when None)."""
        x0, y0, x1, y1 = region or self.region
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
        placed = apply(invert(canonical_from_frame), np.broadcast_to(corners, (len(canonical_from_frame), 4, 2)))
        low, high = placed.min(1), placed.max(1)
        first = np.floor(low).astype(int)
        return np.concatenate([first, np.ceil(high).astype(int) + 1], 1)
