"""One template frame and the mouth wanted in it, in the pixels of the patch that will cover it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32
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
        scale = unit / float(np.sqrt(abs(np.linalg.det(here[:, :2]))))
        return cls(box, own_px - corner, target_px - corner, here, scale)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the patch."""
        x0, y0, x1, y1 = self.box
        return int(x1 - x0), int(y1 - y0)


@dataclass(frozen=True)
class Candidates:
    """The mouths that could be shown in one frame, ready to be mixed."""

    place: Place
    base: F32
    """(height, width, 3) the template's patch, bent so that its jaw line meets the wanted one, grey levels."""
    inner: F32
    """(height, width) the mask through which a remembered mouth shows, in [0, 1]."""
    area: Area
    """Rows and columns of the patch that `pictures` cover."""
    mouths: np.ndarray
    """(K,) indices into the bank, the path's own first, then others by cost, no two of the same moment."""
    costs: F32
    """(K,) how far each mouth's shape and pose are from the wanted ones, in squared eye distances."""
    pictures: F32
    """(K, h, w, 3) bent onto the wanted lips and jaw and relit, grey levels."""
