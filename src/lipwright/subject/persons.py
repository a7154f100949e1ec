"""Who is in the footage, and which of them is followed: shots, persons, from signatures kept on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.face.choose import Box, Person, choose_track
from lipwright.face.shots import joined_stretches, shots
from lipwright.subject.pieces import Pieces
from lipwright.subject.trace import Chosen

WINDOW_S = 120
"""Signatures are looked at in windows of this length ..."""
MARGIN_S = 5
"""... and this much more on both sides: longer than anything that is looked for."""


@dataclass(frozen=True)
class Cast:
    """Everybody, and where the film is cut."""

    chosen: Chosen
    persons: list[Person]
    """Ranked; `--face N` is the N-th."""
    shots: list[tuple[int, int]]
    """[start, stop) without a cut."""
    transitions: list[tuple[int, int]]
    """[start, stop) dissolves, fades, black."""
    someone: NDArray[np.bool_]
    """(T,) frames with any face at all."""


def windows(total: int, fps: Fraction) -> Iterator[tuple[int, int, int, int]]:
    """(start, stop, low, high): consecutive [start, stop) and the frames [low, high) to look at for each."""
    size, margin = round(WINDOW_S * fps), round(MARGIN_S * fps)
    for start in range(0, total, size):
        stop = min(start + size, total)
        yield start, stop, max(start - margin, 0), min(stop + margin, total)


def find_cast(pieces: Pieces, size: tuple[int, int], fps: Fraction, pick: int | Box | None) -> Cast:
    """Follow one person through all pieces. FootageError when there is no such person."""
    faces = _LazyFaces(pieces)
    rigid = pieces.small("rigid_boxes")
    rigid[faces.confidence <= 0] = np.nan
    found, transitions = find_shots(pieces, rigid, fps)
    which, persons = choose_track(faces, size, float(fps), found, pick)
    confidence = np.where(which >= 0, faces.confidence[np.arange(len(which)), np.maximum(which, 0)], 0)
    chosen = Chosen(which.astype(np.int64), confidence.astype(np.float32), tuple(a for a, _ in found[1:]))
    return Cast(chosen, persons, found, transitions, (faces.confidence > 0).any(1))


def find_shots(pieces: Pieces, boxes: F32, fps: Fraction) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Shots and transitions (`face.shots`) of footage of any length; `boxes` (T, F, 4) px of rigid points."""
    total = len(pieces)
    cuts: list[int] = []
    blends: list[tuple[int, int]] = []
    for start, stop, low, high in windows(total, fps):
        scenes = shots(pieces.rows("scene", np.arange(low, high)), boxes[low:high], float(fps))
        cuts += [low + a for a, _ in scenes.shots if start <= low + a < stop]
        inside = [(max(low + a, start), min(low + b, stop)) for a, b in scenes.transitions]
        blends += [(a, b) for a, b in inside if a < b]
    edges = sorted({0, *cuts, total})
    return list(pairwise(edges)), joined_stretches(blends)


class _LazyFaces:
    """`face.choose.Faces` from what the pieces keep: boxes in memory, a mesh or its colours read when asked for."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self.confidence: F32 = pieces.small("confidence")
        self._boxes: F32 = pieces.small("boxes")
        self._boxes[self.confidence <= 0] = np.nan

    def boxes(self) -> F32:
        """(T, F, 4) px; NaN where there is no face."""
        return self._boxes

    def at(self, frame: int, place: int) -> tuple[F32, U8]:
        """Mesh (478, 3) and skin (P, 3) of one face."""
        where = np.array([frame]), np.array([place])
        return self._pieces.rows("dense", *where)[0], self._pieces.rows("skin", *where)[0]
