"""Preparing footage piece by piece: each finished piece is kept, so a killed preparation goes on from it.

Decoding, tracking and encoding overlap in three threads with short queues between them; all three spend
their time in native code that releases the interpreter. Memory does not depend on the footage's length.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import numpy as np

from lipwright.core.clock import round_half_up
from lipwright.core.contracts import F32, U8, FaceTracker
from lipwright.core.files import atomic_file
from lipwright.face.contour import N_RAYS, ContourFinder
from lipwright.face.landmarks68 import to_68
from lipwright.face.tracker import N_DENSE
from lipwright.media.settings import STORE
from lipwright.media.video import VideoReader
from lipwright.media.writer import VideoWriter
from lipwright.subject.checks import PictureStats

T = TypeVar("T")

SEGMENT_S = 60
"""Footage lost at most when the machine dies."""
CONTOUR_EVERY = 5
"""Frames between contour measurements: hair and shoulders move slower than lips."""
_QUEUE = 12

FRAMES = replace(STORE, preset="superfast")
"""How a subject's frames are kept: near lossless, and fast enough to keep up with the tracker."""


def ahead(items: Iterator[T], depth: int = _QUEUE) -> Iterator[T]:
    """Run an iterator in its own thread, at most `depth` items ahead; its errors surface here."""
    box: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(depth)
    stop = threading.Event()

    def work() -> None:
        try:
            for item in items:
                while not stop.is_set():
                    try:
                        box.put((item, None), timeout=0.1)
                        break
                    except queue.Full:
                        continue
                if stop.is_set():
                    return
            _put(box, stop, (None, StopIteration()))
        except BaseException as error:
            _put(box, stop, (None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, error = box.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()


def _put(box: queue.Queue[T], stop: threading.Event, item: T) -> None:
    while not stop.is_set():
        try:
            box.put(item, timeout=0.1)
            return
        except queue.Full:
            continue


class _Sink:
    """A writer in its own thread; errors surface at the next `write` or at `close`."""

    def __init__(self, writer: VideoWriter) -> None:
        self._writer = writer
        self._box: queue.Queue[U8 | None] = queue.Queue(_QUEUE)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (frame := self._box.get()) is not None:
            if self._error is None:
                try:
                    self._writer.write(frame)
                except BaseException as error:
                    self._error = error  # keep draining, so that `write` never blocks

    def write(self, frame: U8) -> None:
        if self._error is not None:
            raise self._error
        self._box.put(frame)

    def close(self) -> None:
        self._box.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error


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
        if arrays.is_file():
            with np.load(arrays) as done:
                return int(done["confidence"].shape[0])
        self._tracker = self._tracker or self._make_tracker()
        self._contour = self._contour or ContourFinder()
        with VideoReader(self._footage, self._fps, start_s, stop_s) as reader:
            frames = ahead(frame.rgb8 for frame in reader)
            first = next(frames, None)
            if first is None:
                return 0
            size = (first.shape[1], first.shape[0])
            with VideoWriter(video, size, self._fps, FRAMES, color=reader.info.color) as writer:
                sink = _Sink(writer)
                try:
                    found = self._follow(first, frames, sink, tick)
                finally:
                    sink.close()
        with atomic_file(arrays) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **found)
        return len(found["confidence"])

    def _follow(
        self, first: U8, frames: Iterator[U8], sink: _Sink, tick: Callable[[int], None]
    ) -> dict[str, np.ndarray]:
        assert self._tracker is not None
        assert self._contour is not None
        faces: list[list[tuple[F32, float]]] = []
        radii: list[F32] = []
        stats = PictureStats()
        frame: U8 | None = first
        while frame is not None:
            sink.write(frame)
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
