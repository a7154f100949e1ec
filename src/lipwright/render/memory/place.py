"""One template frame and the mouth wanted in it, in the pixels of the patch that will cover it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32
from lipwright.face.align import zoom
from lipwright.render.patches import Area


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

    def lips(self, area: Area) -> F32:
        """(20, 2) the wanted lips in the pixels of an area of the patch."""
        rows, columns = area
        return self.target[:20] - np.array([columns.start, rows.start], np.float32)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the patch."""
        x0, y0, x1, y1 = self.box
        return int(x1 - x0), int(y1 - y0)
