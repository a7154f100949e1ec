"""Which of the tracked faces is the person: from a few numbers per face and frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lipwright.core.errors import FootageError
from lipwright.subject.pieces import Pieces
from lipwright.subject.trace import Chosen


def choose_face(pieces: Pieces, face: int | None, source: Path) -> Chosen:
    """The face to follow."""
    boxes, confidence = pieces.small("boxes"), pieces.small("confidence")
    seen = confidence > 0
    counts = seen.sum(1)
    total = len(pieces)
    which = np.full(total, -1, np.int64)
    if face is not None:
        first = counts[np.flatnonzero(counts)[0]] if counts.any() else 0
        if face >= first:
            raise FootageError(
                f"--face {face}: {first} faces are visible where the first one is seen; numbers begin at 0"
            )
    last = None
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2
    for t in range(total):
        n = int(counts[t])
        if n == 0:
            continue
        if last is None:
            k = face or 0
        else:
            d = np.linalg.norm(centres[t, :n] - centres[last[0], last[1]], axis=1)
            k = int(np.argmin(d))
            width = boxes[last[0], last[1], 2] - boxes[last[0], last[1], 0]
            if d[k] >= 2 * width and n > 1:
                k = 0
        which[t], last = k, (t, k)
    chosen = np.where(which >= 0, confidence[np.arange(total), np.maximum(which, 0)], 0).astype(np.float32)
    return Chosen(which, chosen, (), None)
