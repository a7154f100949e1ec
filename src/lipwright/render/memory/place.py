"""One template frame and the mouth wanted in it, in the pixels of the patch that will cover it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32
from lipwright.face.align import apply, zoom


@dataclass(frozen=True)
class Place:
    """Where a mouth goes."""

    box: np.ndarray
    """(4,) x0, y0, x1, y1 of the patch in frame pixels."""
    own: F32
    """(68, 2) the template's own landmarks, patch pixels."""
    target: F32
    """(29, 2) wanted MOUTH_JAW landmarks, patch pixels."""
    canonical_from_patch: F32
    """(2, 3)."""
    scale: float
    """Eye distance in patch pixels."""

    @classmethod
    def of(cls, box: np.ndarray, canonical_from_frame: F32, own_px: F32, target_px: F32, unit: float) -> Place:
        """From frame pixels; `unit` is the eye distance in the canonical frame."""
        corner = box[:2].astype(np.float32)
        here = canonical_from_frame.copy()
        here[:, 2] += here[:, :2] @ corner
        return cls(box, own_px - corner, target_px - corner, here, unit / zoom(here))

    @property
    def wanted(self) -> F32:
        """(29, 2) wanted MOUTH_JAW landmarks, canonical."""
        return apply(self.canonical_from_patch, self.target)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the patch."""
        x0, y0, x1, y1 = self.box
        return int(x1 - x0), int(y1 - y0)
