"""All pieces of a preparation as one sequence of frames, read from disk where and when they are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.face.tracker import N_DENSE
from lipwright.subject.arrays import mapped

CHUNK = 256
"""Frames handled at once: 1.5 MB of mesh points each, whatever the length of the footage."""


class Pieces:
    """Arrays of the pieces `NNNN.npz`, in order (`Watcher.finish` says what each holds)."""

    def __init__(self, arrays: Sequence[Path]) -> None:
        self._arrays = list(arrays)
        self.lengths = [len(mapped(path, "confidence")) for path in self._arrays]
        self.starts = [0, *accumulate(self.lengths)]

    def __len__(self) -> int:
        """Frames in all."""
        return self.starts[-1]

    def each(self, name: str) -> Iterator[tuple[int, NDArray[Any]]]:
        """(first frame, array) of every piece; the array is mapped, not loaded."""
        for start, path in zip(self.starts, self._arrays, strict=False):
            yield start, mapped(path, name)

    def small(self, name: str) -> NDArray[Any]:
        """A (T, F, ...) array of all pieces in memory; places of faces that a piece does not have are zeros."""
        parts = [np.array(values) for _, values in self.each(name)]
        most = max((p.shape[1] for p in parts), default=1)
        return np.concatenate([np.pad(p, [(0, 0), (0, most - p.shape[1]), *[(0, 0)] * (p.ndim - 2)]) for p in parts])

    def rows(self, name: str, frames: NDArray[Any], faces: NDArray[Any] | None = None) -> NDArray[Any]:
        """(N, ...) rows of the given frames (rising); of an array by face, those of `faces` (N,), zeros where < 0."""
        found: list[NDArray[Any]] = []
        edges = np.searchsorted(frames, self.starts)
        for number, (a, b) in enumerate(pairwise(edges)):
            if a == b and (found or number < len(self._arrays) - 1):
                continue
            values, at = mapped(self._arrays[number], name), frames[a:b] - self.starts[number]
            if faces is None:
                found.append(values[at])
                continue
            seen = faces[a:b] >= 0
            part = np.zeros((b - a, *values.shape[2:]), values.dtype)
            part[seen] = values[at[seen], faces[a:b][seen]]
            found.append(part)
        return found[0] if len(found) == 1 else np.concatenate(found)

    def chosen(self, name: str, which: NDArray[np.integer[Any]], start: int, stop: int) -> NDArray[Any]:
        """(stop - start, ...) values of the face `which` (T,) names for each frame; zeros where it is negative."""
        return self.rows(name, np.arange(start, stop), which[start:stop])


class FilledMesh:
    """(T, 478, 3) raw mesh of the chosen face, gaps filled by a straight line, read in any stretches.

    Equals `face.smooth.fill_gaps` of the whole track bit for bit: a line depends on its two ends only.
    """

    def __init__(self, pieces: Pieces, which: NDArray[np.integer[Any]]) -> None:
        self._pieces, self._which = pieces, which
        self._known = np.flatnonzero(which >= 0)

    def read(self, start: int, stop: int) -> F32:
        """Frames [start, stop)."""
        values = np.asarray(self._pieces.chosen("dense", self._which, start, stop), np.float32)
        if not len(self._known) or (self._which[start:stop] >= 0).all():
            return values.reshape(-1, N_DENSE, 3)
        # The nearest seen frames on both sides of the stretch complete its lines.
        low, high = np.searchsorted(self._known, [start, stop])
        before, after = self._known[max(low - 1, 0) : low], self._known[high : high + 1]
        ends = [self._pieces.chosen("dense", self._which, int(t), int(t) + 1) for t in (*before, *after)]
        inside = self._known[low:high]
        at = np.concatenate([before, inside, after])
        rows = np.concatenate([*ends[: len(before)], values[inside - start], *ends[len(before) :]])
        every = np.arange(start, stop)
        flat = rows.reshape(len(rows), -1)
        filled = np.stack([np.interp(every, at, column) for column in flat.T], axis=1)
        return filled.reshape(-1, N_DENSE, 3).astype(np.float32)


def chunks(total: int, size: int | None = None) -> Iterator[tuple[int, int]]:
    """[start, stop) of consecutive stretches of at most `size`, `CHUNK` when None."""
    step = size or CHUNK
    for start in range(0, total, step):
        yield start, min(start + step, total)
