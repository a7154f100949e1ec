"""Preparing footage piece by piece: each finished piece is kept, so a killed preparation goes on from it.

Decoding, tracking and encoding overlap in three threads with short queues between them; all three spend
their time in native code that releases the interpreter. Memory does not depend on the footage's length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from lipwright.core.clock import round_half_up
from lipwright.core.contracts import F32, U8, FaceTracker
from lipwright.core.files import atomic_file
from lipwright.core.overlap import Behind, ahead
from lipwright.face.contour import N_RAYS, ContourFinder
from lipwright.face.landmarks68 import to_68
from lipwright.face.tracker import N_DENSE
from lipwright.media.settings import STORE
from lipwright.media.video import VideoReader
from lipwright.media.writer import VideoWriter
from lipwright.subject.checks import PictureStats

SEGMENT_S = 60
"""Footage lost at most when the machine dies."""
CONTOUR_EVERY = 5
"""Frames between contour measurements: hair and shoulders move slower than lips."""

FRAMES = replace(STORE, preset="superfast")
"""How a subject's frames are kept: near lossless, and fast enough to keep up with the tracker."""


class SegmentMaker:
    """Turns [start, stop) seconds of footage into `NNNN.mp4` and `NNNN.npz` in a work folder."""

    def __init__(self, footage: Path, folder: Path, fps: Fraction, tracker: Callable[[], FaceTracker]) -> None:
        self._footage, self._folder, self._fps = footage, folder, fps
        self._make_tracker = tracker
        self._tracker: FaceTracker | None = None
        self._contour: ContourFinder | None = None

    def paths(self, number: int) -> tuple[Path, Path]:
        """Video and arrays of a segment; the arrays are written last."""
        return self._folder / f"{number:04d}.mp4", self._folder / f"{number:04d}.npz"

    def make(self, number: int, start_s: Fraction, stop_s: Fraction, tick: Callable[[int], None]) -> int:
        """Make one segment unless it is there; returns its number of frames (0 past the end)."""
        video, arrays = self.paths(number)
        if (done := self._made(number)) is not None:
            return done
        self._tracker = self._tracker or self._make_tracker()
        self._contour = self._contour or ContourFinder()
        with VideoReader(self._footage, self._fps, start_s, stop_s) as reader:
            frames = ahead(frame.rgb8 for frame in reader)
            first = next(frames, None)
            if first is None:
                return 0
            size = (first.shape[1], first.shape[0])
            with VideoWriter(video, size, self._fps, FRAMES, color=reader.info.color) as writer:
                sink: Behind[U8] = Behind(writer.write)
                try:
                    found = self._follow(first, frames, sink, tick)
                finally:
                    sink.close()
        with atomic_file(arrays) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **found)
        return len(found["confidence"])

    def _made(self, number: int) -> int | None:
        """Frames of a segment that is there already; None when it is missing or was left damaged."""
        video, arrays = self.paths(number)
        if not (video.is_file() and arrays.is_file()):
            return None
        try:
            with open(arrays, "rb") as stream, np.load(stream) as done:
                return int(done["confidence"].shape[0])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):  # the machine died before the disk had it
            return None

    def _follow(
        self, first: U8, frames: Iterator[U8], sink: Behind[U8], tick: Callable[[int], None]
    ) -> dict[str, np.ndarray]:
        assert self._tracker is not None
        assert self._contour is not None
        faces: list[list[tuple[F32, float]]] = []
        radii: list[F32] = []
        stats = PictureStats()
        frame: U8 | None = first
        while frame is not None:
            sink.put(frame)
            seen = self._tracker.detect(frame)
            if len(faces) % CONTOUR_EVERY == 0:
                points = to_68(seen[0][0]) if seen else None
                radii.append(
                    self._contour.radii(frame, points[[0, 16]])
                    if points is not None
                    else np.full(N_RAYS, np.nan, np.float32)
                )
                if points is not None and len(faces) % (5 * CONTOUR_EVERY) == 0:
                    stats.add(frame, points)
            faces.append(seen)
            tick(len(faces))
            frame = next(frames, None)
        most = max((len(f) for f in faces), default=0)
        dense = np.zeros((len(faces), max(most, 1), N_DENSE, 3), np.float32)
        confidence = np.zeros((len(faces), max(most, 1)), np.float32)
        for t, seen in enumerate(faces):
            for k, (points, score) in enumerate(seen):
                dense[t, k], confidence[t, k] = points, score
        return {
            "dense": dense,
            "confidence": confidence,
            "radii": np.stack(radii),
            "stats": np.array([stats.sharpness, stats.brightness, stats.clipped], np.float32),
        }

    def close(self) -> None:
        """Release native resources."""
        for part in (self._tracker, self._contour):
            if part is not None:
                part.close()


def segment_times(start_s: Fraction, end_s: Fraction, fps: Fraction) -> list[tuple[Fraction, Fraction]]:
    """Stretches of `SEGMENT_S` on whole frames from `start_s` to `end_s`."""
    step = round_half_up(SEGMENT_S * fps) / fps
    times = []
    at = start_s
    while at < end_s:
        times.append((at, min(at + step, end_s)))
        at += step
    return times
