"""The mouth points of one person's footage, refined by the footage itself.

A few hundred reference mouths get lower lips that begin below bared teeth and are registered with each other; then a
regression from picture to points, which never saw the seconds around a frame, says where that frame's points are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import MOUTH
from lipwright.face.align import apply, invert
from lipwright.face.mouth.appearance import SHIFTS, Looks, PointsFromLooks
from lipwright.face.mouth.crop import MouthCrop
from lipwright.face.mouth.register import registered
from lipwright.face.mouth.teeth import BaredTeeth

REFERENCES = 500
"""Mouths learnt from; more did not help (docs/results.md)."""
FEWEST = 50
"""Below that nothing is learnt, the tracker's points stay."""
_FOLDS = 3
_BLOCK_S = 2.0
"""Footage is dealt out to the folds in blocks: neighbours in time share the tracker's errors."""
_APART_S = 1.0


@dataclass(frozen=True)
class MouthRefiner:
    """What was learnt of one person's mouth."""

    crop: MouthCrop
    looks: Looks
    folds: tuple[PointsFromLooks, ...]
    """Fold f never saw the blocks f, f + 3, f + 6 ..."""
    block: float
    """Frames of a block."""
    teeth: BaredTeeth | None
    """None where too little is seen of them."""

    @classmethod
    def fit(
        cls, crop: MouthCrop, crops: U8, numbers: NDArray[np.integer], landmarks_px: F32, fps: float
    ) -> MouthRefiner | None:
        """From the mouths of reference frames (`references`); None when they are too few.

        Args: crops (N, 80, 112, 3) cut by `crop`, numbers (N,) of their frames, landmarks_px (N, 68, 2) as tracked.
        """
        fold = _fold(numbers, block := _BLOCK_S * fps)
        if len(numbers) < FEWEST or any((fold == f).all() or not (fold == f).any() for f in range(_FOLDS)):
            return None
        looks = Looks.fit(crops)
        moved = [looks(crops, shift) for shift in SHIFTS]
        tracked = apply(crop.maps(landmarks_px), landmarks_px[:, MOUTH])
        # Regression first: registration needs points that are not far off.
        first = _cross_fitted(moved, tracked, fold)
        if (teeth := BaredTeeth.fit(crops, first)) is not None:
            first = teeth(crops, first)
        alike = registered(crops, moved[0], first, numbers, round(_APART_S * fps))
        return cls(crop, looks, _models(moved, alike, fold), block, teeth)

    def __call__(self, numbers: NDArray[np.integer], crops: U8, landmarks_px: F32) -> F32:
        """(N, 68, 2) landmarks of N frames with their numbers in the footage, mouth points refined.

        Many at once are faster than one by one. Args: crops (N, 80, 112, 3) cut by `crop`.
        """
        maps, looks = self.crop.maps(landmarks_px), self.looks(crops)
        points = apply(maps, landmarks_px[:, MOUTH])
        if self.teeth is not None:
            points = self.teeth(crops, points)
        fold = _fold(numbers, self.block)
        for f, model in enumerate(self.folds):
            if (mine := fold == f).any():
                points[mine] = model(looks[mine], points[mine])
        result = landmarks_px.copy()
        result[:, MOUTH] = apply(invert(maps), points)
        return result


def references(good: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The good frames that are learnt from: at most `REFERENCES`, evenly spread."""
    frames = np.flatnonzero(good)
    return frames[np.unique(np.linspace(0, len(frames) - 1, min(REFERENCES, len(frames))).round().astype(int))]


def _fold(frames: NDArray[np.integer], block: float) -> NDArray[np.int64]:
    return (frames / block).astype(np.int64) % _FOLDS


def _models(moved: list[NDArray[np.float64]], points: F32, fold: NDArray[np.int64]) -> tuple[PointsFromLooks, ...]:
    """One regression per fold, from the others' mouths, moved ones included."""
    shifted = [points + np.array(shift, np.float32) for shift in SHIFTS]
    models = []
    for f in range(_FOLDS):
        others = fold != f
        models.append(
            PointsFromLooks(
                np.concatenate([look[others] for look in moved]), np.concatenate([p[others] for p in shifted])
            )
        )
    return tuple(models)


def _cross_fitted(moved: list[NDArray[np.float64]], points: F32, fold: NDArray[np.int64]) -> F32:
    """(N, K, 2) points of the references, each from the other folds."""
    result = points.copy()
    for f, model in enumerate(_models(moved, points, fold)):
        result[fold == f] = model(moved[0][fold == f], points[fold == f])
    return result
