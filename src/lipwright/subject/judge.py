"""Which frames can be used and why the others cannot, over footage of any length: `face.usable` in windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, FaceTrack
from lipwright.face.choose import Box
from lipwright.face.cover import cover
from lipwright.face.overlay import block_frames, overlay
from lipwright.face.usable import Reason, Stretch, frozen_frames, usability
from lipwright.subject.persons import Cast, windows
from lipwright.subject.pieces import Pieces
from lipwright.subject.trace import ReadPoints

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Verdict:
    """What can be learnt from and spoken over."""

    usable: Bools
    """(T,)."""
    stretches: list[Stretch]
    """The rest, in order, with reasons."""
    captions: list[Box]
    """(x0, y0, x1, y1) px of captions and logos over the chin."""


def judge(
    pieces: Pieces,
    cast: Cast,
    pose_rad: F32,
    points: ReadPoints,
    size: tuple[int, int],
    fps: Fraction,
    damaged: Sequence[tuple[int, int]] = (),
) -> Verdict:
    """Look at everything that was noted about the person followed.

    Args:
        pose_rad: (T, 3) smoothed.
        points: reads smoothed landmarks.
        damaged: [start, stop) frames that could not be decoded.
    """
    chosen = cast.chosen
    skin = _Mine(pieces, "skin", chosen.which)
    covered = cover(skin, pose_rad, chosen.present, float(fps), cast.shots).covered
    total = len(pieces)
    usable = np.zeros(total, bool)
    stretches: list[Stretch] = []
    captions: list[Box] = []
    for start, stop, low, high in windows(total, fps):
        inner = slice(start - low, stop - low)
        track = _part(chosen.confidence, pose_rad, points(low, high), size, low, high)
        captioned, boxes = _captioned(pieces, track, size, fps, low, high)
        good, reasons = usability(
            track,
            float(fps),
            shots=_clipped(cast.shots, low, high),
            transitions=_clipped(cast.transitions, low, high),
            covered=covered[low:high],
            captioned=captioned,
            someone=cast.someone[low:high],
            frozen=frozen_frames(pieces.rows("scene", np.arange(low, high)), skin[np.arange(low, high)], float(fps)),
            damaged=_clipped(damaged, low, high),
        )
        usable[start:stop] = good[inner]
        captions += [box for box in boxes if not any(_same_place(box, other) for other in captions)]
        inside = [(max(s.start + low, start), min(s.stop + low, stop), s.reason) for s in reasons]
        stretches += [Stretch(a, b, reason) for a, b, reason in inside if a < b]
    return Verdict(usable, _joined(stretches), captions)


def _part(confidence: F32, pose_rad: F32, points: F32, size: tuple[int, int], low: int, high: int) -> FaceTrack:
    no_mesh = np.zeros((high - low, 0, 3), np.float32)
    return FaceTrack(points, no_mesh, confidence[low:high], pose_rad[low:high], size)


def _captioned(
    pieces: Pieces, track: FaceTrack, size: tuple[int, int], fps: Fraction, low: int, high: int
) -> tuple[Bools, list[Box]]:
    """(T,) frames of a window in which a caption lies over the chin, and where."""
    step = block_frames(float(fps))
    counts, starts = [], []
    for first, still in pieces.each("still"):
        at = first + step * np.arange(len(still))
        inside = (at >= low) & (at < high)
        counts.append(np.array(still[inside]))
        starts.append(at[inside] - low)
    if not sum(len(c) for c in counts):
        return np.zeros(high - low, bool), []
    found = overlay(
        np.concatenate([c for c in counts if len(c)]), np.concatenate(starts), track.landmarks_px, track.present,
        size, float(fps),
    )  # fmt: skip
    return found.covered, found.boxes


def _clipped(stretches: Sequence[tuple[int, int]], low: int, high: int) -> list[tuple[int, int]]:
    """What lies in [low, high), counted from `low`."""
    inside = [(max(a, low) - low, min(b, high) - low) for a, b in stretches]
    return [(a, b) for a, b in inside if a < b]


def _joined(stretches: list[Stretch]) -> list[Stretch]:
    """Stretches of one reason that touch as one."""
    joined: list[Stretch] = []
    for one in stretches:
        if joined and joined[-1].stop == one.start and joined[-1].reason is one.reason:
            joined[-1] = Stretch(joined[-1].start, one.stop, one.reason)
        else:
            joined.append(one)
    return joined


def _same_place(a: Box, b: Box) -> bool:
    """Whether two boxes share more than half of the smaller one."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return width > 0 and height > 0 and width * height > 0.5 * smaller


@dataclass(frozen=True)
class _Mine:
    """(T, ...) values of the person followed, read from disk where they are looked at."""

    pieces: Pieces
    name: str
    which: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.which)

    def __getitem__(self, frames: NDArray[Any]) -> NDArray[Any]:
        return self.pieces.rows(self.name, frames, self.which[frames])


def by_reason(stretches: Sequence[Stretch]) -> dict[Reason, int]:
    """Frames lost to each reason, the most common first."""
    count: dict[Reason, int] = {}
    for one in stretches:
        count[one.reason] = count.get(one.reason, 0) + one.stop - one.start
    return dict(sorted(count.items(), key=lambda item: -item[1]))
