"""Preparing footage piece by piece: each finished piece is kept, so a killed preparation goes on from it.

Decoding, tracking and encoding overlap in three threads with short queues between them; all three spend
their time in native code that releases the interpreter. One reader runs through all missing pieces, so that
nothing is decoded twice; a piece is as long as `SEGMENT_S`, so memory does not depend on the footage's length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np

from lipwright.core.clock import round_half_up
from lipwright.core.contracts import U8, FaceTracker
from lipwright.core.overlap import Behind, ahead
from lipwright.media.cadence import Cadence
from lipwright.media.picture import Picture
from lipwright.media.settings import STORE
from lipwright.media.video import VideoReader
from lipwright.media.writer import VideoWriter
from lipwright.subject.arrays import DAMAGED, array_file, mapped
from lipwright.subject.watch import Watcher
from lipwright.subject.working_size import at_size

SEGMENT_S = 20
"""Footage lost at most when the machine dies."""
FRAMES = replace(STORE, preset="superfast")
"""How a subject's frames are kept: near lossless, and fast enough to keep up with the tracker."""
Pair = tuple[Picture, U8]
"""A picture of the footage, and the same at the tracker's size."""
_IN_FLIGHT_BYTES = 48 << 20
"""Pictures waiting between two threads take at most about this much."""


@dataclass(frozen=True)
class Source:
    """What to read and how."""

    path: Path
    fps: Fraction
    start_s: Fraction
    """On a whole frame."""
    end_s: Fraction
    work_size: tuple[int, int]
    """(width, height) at which faces are tracked."""
    cadence: Cadence | None = None
    """Of material whose pictures are repeated to fill a higher rate."""

    @property
    def n_frames(self) -> int:
        """Frames announced; the file may end earlier."""
        return -(-((self.end_s - self.start_s) * self.fps) // 1)

    def pieces(self) -> list[tuple[int, int]]:
        """[first, stop) frames, counted from `start_s`, of every piece."""
        step = max(1, round_half_up(SEGMENT_S * self.fps))
        return [(a, min(a + step, self.n_frames)) for a in range(0, self.n_frames, step)]


class SegmentMaker:
    """Turns footage into `NNNN.mp4` and `NNNN.npz` in a work folder."""

    def __init__(self, source: Source, folder: Path, tracker: Callable[[], FaceTracker]) -> None:
        self._source, self._folder = source, folder
        self._make_tracker = tracker
        self._watcher: Watcher | None = None
        self._reader = ExitStack()
        self._frames: Iterator[Pair] | None = None

    def paths(self, number: int) -> tuple[Path, Path]:
        """Video and arrays of a piece; the arrays are written last."""
        return self._folder / f"{number:04d}.mp4", self._folder / f"{number:04d}.npz"

    def make(self, number: int, first: int, stop: int, tick: Callable[[int], None]) -> int:
        """Make one piece unless it is there; returns its number of frames, fewer than asked at the end of the file.

        Pieces must be asked for in order. FootageError when the footage cannot be read.
        """
        if (done := self._made(number)) is not None:
            self._stop_reading()
            return done
        if self._frames is None:
            self._start_reading(first)
        assert self._frames is not None
        frames = islice(self._frames, stop - first)
        opening = next(frames, None)
        if opening is None:
            return 0
        if self._watcher is None:
            self._watcher = Watcher(self._make_tracker(), self.reader.size, self._source.work_size, self._source.fps)
        video, arrays = self.paths(number)
        found = self._follow(video, opening, frames, tick)
        with array_file(arrays) as file:
            for name, values in found.items():
                file.write(name, values)
        return len(found["confidence"])

    def _start_reading(self, first: int) -> None:
        source = self._source
        start_s = source.start_s + first / source.fps
        self.reader = self._reader.enter_context(
            VideoReader(source.path, source.fps, start_s, source.end_s, cadence=source.cadence)
        )
        width, height = self.reader.size
        self._depth = int(np.clip(_IN_FLIGHT_BYTES // (3 * width * height), 2, 12))
        # Brought to the tracker's size in the reading thread: it has time to spare, the tracker has not.
        pairs = ((frame.picture, at_size(frame.picture, source.work_size)) for frame in self.reader)
        frames = ahead(pairs, self._depth)
        self._reader.callback(frames.close)  # type: ignore[attr-defined]
        self._frames, self._held = frames, 0

    def _stop_reading(self) -> None:
        self._reader.close()
        self._frames = None

    def _made(self, number: int) -> int | None:
        """Frames of a piece that is there already; None when it is missing or was left damaged."""
        video, arrays = self.paths(number)
        if not (video.is_file() and arrays.is_file()):
            return None
        try:
            return int(mapped(arrays, "confidence").shape[0])
        except DAMAGED:  # the machine died before the disk had it
            return None

    def _follow(
        self, video: Path, opening: Pair, frames: Iterator[Pair], tick: Callable[[int], None]
    ) -> dict[str, np.ndarray]:
        assert self._watcher is not None
        source = self._source
        self._watcher.begin()
        first = opening[0]
        with VideoWriter(
            video, self.reader.size, source.fps, FRAMES, color=first.tags, source_pix_fmt=first.pix_fmt
        ) as writer:
            sink: Behind[Picture] = Behind(writer.write, self._depth)
            try:
                pair: Pair | None = opening
                while pair is not None:
                    picture, tracked = pair
                    sink.put(picture)
                    tick(self._watcher.see(tracked))
                    pair = next(frames, None)
            finally:
                sink.close()
        return self._watcher.finish() | {"held": self._new_held()}

    def _new_held(self) -> np.ndarray:
        """(H, 2) [start, stop) frames of damaged stretches that came to light with this piece."""
        found = self.reader.held[self._held :]
        self._held += len(found)
        frames = [[round_half_up((at - self._source.start_s) * self._source.fps) for at in pair] for pair in found]
        return np.array(frames, np.int64).reshape(-1, 2)

    def close(self) -> None:
        """Release the file and native resources."""
        self._stop_reading()
        if self._watcher is not None:
            self._watcher.close()
