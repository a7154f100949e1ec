"""Every face of a film, kept in pieces: an hour of meshes need not lie in memory at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8


class Faces:
    """T frames with at most F faces each, in any order.

    Args:
        pieces: one after the other, each with dense (t, f, 478, 3) px, confidence (t, f), 0 where there is no
            face, and skin (t, f, P, 3) of `face.skin`. Mappings that load on access (an open .npz) are read
            piece by piece and only the one in use is kept.
    """

    def __init__(self, pieces: Sequence[Mapping[str, NDArray[Any]]]) -> None:
        self._pieces = pieces
        scores = [np.asarray(p["confidence"]) for p in pieces]
        most = max((s.shape[1] for s in scores), default=1)
        self._starts = np.cumsum([0, *(len(s) for s in scores)])
        self.confidence: F32 = np.concatenate([np.pad(s, ((0, 0), (0, most - s.shape[1]))) for s in scores])
        self._open: tuple[int, NDArray[Any], NDArray[Any]] | None = None

    def __len__(self) -> int:
        return int(self._starts[-1])

    def boxes(self, which: Sequence[int] | slice = slice(None)) -> F32:
        """(T, F, 4) x0, y0, x1, y1 px of the meshes (or of some of their points); NaN where there is none."""
        boxes = np.full((*self.confidence.shape, 4), np.nan, np.float32)
        for number, start in enumerate(self._starts[:-1]):
            points = self._piece(number)[0][:, :, which, :2]
            boxes[start : start + len(points), : points.shape[1]] = np.concatenate([points.min(2), points.max(2)], -1)
        boxes[self.confidence <= 0] = np.nan
        return boxes

    def at(self, frame: int, place: int) -> tuple[F32, U8]:
        """Mesh (478, 3) and skin (P, 3) of one face; cheap when frames are asked for in order."""
        number = int(np.searchsorted(self._starts, frame, side="right")) - 1
        dense, skin = self._piece(number)
        return dense[frame - self._starts[number], place], skin[frame - self._starts[number], place]

    def _piece(self, number: int) -> tuple[NDArray[Any], NDArray[Any]]:
        if self._open is None or self._open[0] != number:
            piece = self._pieces[number]
            self._open = (number, piece["dense"], piece["skin"])
        return self._open[1:]
