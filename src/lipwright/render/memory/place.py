"""One template frame and the mouth wanted in it, in the pixels of the patch that will cover it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lipwright.core.contracts import F32
from lipwright.face.align import zoom
from lipwright.render.memory.blend import Flow
from lipwright.render.patches import Area

ANCHORS = [1, 2, 14, 15, 31, 33, 35]
"""Rigid points that hold cheeks and nose base in place while lips and jaw move."""
_NODES = 1 / 16
"""Eye distances between the places where a bend is worked out."""


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
    border: F32
    """(12, 2) points on the border of the patch that do not move."""

    @classmethod
    def of(cls, box: np.ndarray, canonical_from_frame: F32, own_px: F32, target_px: F32, unit: float) -> Place:
        """From frame pixels; `unit` is the eye distance in the canonical frame."""
        corner = box[:2].astype(np.float32)
        here = canonical_from_frame.copy()
        here[:, 2] += here[:, :2] @ corner
        border = border_points(int(box[2] - box[0]), int(box[3] - box[1]))
        return cls(box, own_px - corner, target_px - corner, here, unit / zoom(here), border)

    def of_area(self, area: Area, size: tuple[int, int] | None = None) -> Place:
        """The same on a grid of (width, height) pixels over an area of the patch; the area's own pixels when None."""
        rows, columns = area
        whole = columns.stop - columns.start, rows.stop - rows.start
        width, height = size or whole
        step = np.array([whole[0] / width, whole[1] / height], np.float32)
        corner = np.array([columns.start, rows.start], np.float32)
        own, target, border = ((p - corner + 0.5) / step - 0.5 for p in (self.own, self.target, self.border))
        here = self.canonical_from_patch.copy()
        here[:, 2] += here[:, :2] @ (corner + 0.5 * step - 0.5)
        here[:, :2] *= step
        return Place(np.array([0, 0, width, height]), own, target, here, self.scale / float(step.max()), border)

    @cached_property
    def flow(self) -> Flow:
        """From the wanted lips and jaw, held by rigid points and the patch's border."""
        at = np.concatenate([self.target, self.own[ANCHORS], self.border])
        return Flow(at, self.size, max(round(_NODES * self.scale), 2))

    @property
    def lips(self) -> F32:
        """(20, 2) the wanted lips."""
        return self.target[:20]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the patch."""
        x0, y0, x1, y1 = self.box
        return int(x1 - x0), int(y1 - y0)


def border_points(width: int, height: int) -> F32:
    """Twelve points on the patch border that do not move."""
    x, y = width - 1.0, height - 1.0
    points = [
        (0, 0),
        (x / 2, 0),
        (x, 0),
        (0, y / 2),
        (x, y / 2),
        (0, y),
        (x / 4, y),
        (x / 2, y),
        (3 * x / 4, y),
    ]
    return np.array([*points, (x, y), (0, 3 * y / 4), (x, 3 * y / 4)], np.float32)
