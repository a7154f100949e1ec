"""The head contour of every frame, from measurements of every fifth of a second, written while it is made."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.subject.arrays import array_file
from lipwright.subject.pieces import CHUNK, Pieces, chunks
from lipwright.subject.watch import contour_step


def write_contour(folder: Path, pieces: Pieces, which: NDArray[np.integer], fps: Fraction) -> None:
    """contour.npz: (T, rays) px, interpolated between the frames where the chosen face was measured."""
    frames, radii = measured(pieces, which, fps)
    total = len(pieces)
    with array_file(folder / "contour.npz") as file:
        file.stream("radii_px", (total, radii.shape[1]), np.float32, _between(frames, radii, total))


def measured(pieces: Pieces, which: NDArray[np.integer], fps: Fraction) -> tuple[NDArray[np.int64], F32]:
    """(M,) frames at which the chosen face's contour is known, and its (M, rays)."""
    every = contour_step(fps)
    at: list[NDArray[np.int64]] = []
    rows: list[F32] = []
    rays = 0
    for start, radii in pieces.each("radii"):
        frames = start + every * np.arange(len(radii))
        chosen = which[frames]
        rays = radii.shape[2]
        values = np.asarray(radii[np.arange(len(radii)), np.maximum(chosen, 0)])
        known = (chosen >= 0) & np.isfinite(values[:, 0])
        at.append(frames[known])
        rows.append(values[known])
    return np.concatenate(at), np.concatenate(rows) if rows else np.zeros((0, rays), np.float32)


def _between(frames: NDArray[np.int64], radii: F32, total: int) -> Iterator[F32]:
    for start, stop in chunks(total, 8 * CHUNK):
        every = np.arange(start, stop)
        if len(frames):
            yield np.stack([np.interp(every, frames, ray) for ray in radii.T], axis=1).astype(np.float32)
        else:
            yield np.zeros((stop - start, radii.shape[1]), np.float32)
