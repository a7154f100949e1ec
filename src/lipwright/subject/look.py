"""A first look at footage, in seconds: is there a face, how many, how large; before minutes go into tracking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from lipwright.core.contracts import F32, FaceTracker
from lipwright.core.errors import FootageError
from lipwright.core.progress import Progress
from lipwright.face.tracker import TRACKERS
from lipwright.media.picture import Picture
from lipwright.media.video import VideoReader
from lipwright.subject.working_size import at_size, to_full, working_size

PROBES = 12
"""Frames looked at first."""
SEARCH_STEP_S = Fraction(3, 2)
"""When none of them shows a face, one frame in this time is looked at: no stretch of 2 s with a face is missed."""
MOST_FACES = 4
_SIDE = 0.5
"""Faces at least this wide beside the largest one count for the working size: bystanders do not."""


@dataclass(frozen=True)
class Look:
    """What a few frames show."""

    faces: int
    """Most faces in one frame."""
    width_px: float
    """Width of the narrowest face that matters, in pixels of the footage."""
    size: tuple[int, int]
    """(width, height) of the footage."""
    work_size: tuple[int, int]
    """(width, height) at which to track."""


def look(source: Path, start_s: Fraction, end_s: Fraction, progress: Progress) -> Look:
    """Look for faces in frames spread over a stretch. FootageError when there is none in any of them."""
    tracker = TRACKERS.get("mediapipe")(max_faces=MOST_FACES, static=True)
    try:
        seen: list[tuple[Picture, list[tuple[F32, float]]]] = []
        for at in _spread(start_s, end_s, PROBES):
            seen += _faces(tracker, source, at, end_s)
        if not seen:
            seen = _search(tracker, source, start_s, end_s, progress)
        return _judged(tracker, seen)
    finally:
        tracker.close()


def _spread(start_s: Fraction, end_s: Fraction, n: int) -> Iterator[Fraction]:
    for k in range(n):
        yield start_s + (end_s - start_s) * (2 * k + 1) / (2 * n)


def _faces(
    tracker: FaceTracker, source: Path, at: Fraction, end_s: Fraction
) -> list[tuple[Picture, list[tuple[F32, float]]]]:
    """The frame at a time with its faces; empty without a face."""
    with VideoReader(source, start_s=at, end_s=end_s) as reader:
        frame = next(iter(reader), None)
    if frame is None:
        return []
    found = tracker.detect(frame.picture.rgb8())
    return [(frame.picture, found)] if found else []


def _search(
    tracker: FaceTracker, source: Path, start_s: Fraction, end_s: Fraction, progress: Progress
) -> list[tuple[Picture, list[tuple[F32, float]]]]:
    n = max(int((end_s - start_s) / SEARCH_STEP_S) + 1, 2 * PROBES)
    progress.start("look for a face", n)
    for k, at in enumerate(_spread(start_s, end_s, n)):
        if found := _faces(tracker, source, at, end_s):
            progress.finish()
            return found
        progress.update(k + 1)
    progress.finish()
    raise FootageError(
        f"no face was found in {n + PROBES} frames spread over {source}; film the face from the front, well lit"
    )


def _judged(tracker: FaceTracker, seen: list[tuple[Picture, list[tuple[F32, float]]]]) -> Look:
    """The size to track at: the smallest at which every probe still shows its face."""
    widths = [[float(np.ptp(points[:, 0])) for points, _ in faces] for _, faces in seen]
    narrowest = min(w for row in widths for w in row if w >= _SIDE * max(row))
    full = seen[0][0].size
    size = working_size(full, narrowest)
    while size != full and not all(_still_there(tracker, f, size, faces[0][0]) for f, faces in seen):
        size = working_size(full, narrowest := narrowest / 1.5)
    return Look(max(len(row) for row in widths), narrowest, full, size)


def _still_there(tracker: FaceTracker, picture: Picture, size: tuple[int, int], face: F32) -> bool:
    """Whether the largest face is also found at a smaller size, at the same place."""
    full = picture.size
    found = tracker.detect(at_size(picture, size))
    return any(
        np.linalg.norm(to_full(points, size, full)[:, :2].mean(0) - face[:, :2].mean(0)) < 0.2 * np.ptp(face[:, 0])
        for points, _ in found
    )
