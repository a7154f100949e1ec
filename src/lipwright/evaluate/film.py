"""Videos beside each other in one small file, so that they play in step anywhere, without a script."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32, U8
from lipwright.core.overlap import Behind
from lipwright.media.settings import EncoderSettings
from lipwright.media.writer import VideoWriter

HEIGHT = 320
"""Most pixels of a picture's height."""
WIDTH = 1600
"""Most pixels of all pictures side by side."""
SECONDS = 120
"""What follows is left out: a page must stay small enough to open."""
_BAR = 24
_SETTINGS = EncoderSettings(codec="h264", crf=27, audio_bitrate=64_000, threads=1, pix_fmt="yuv420p")


class Film:
    """Frames of several videos on their way into one file; see `film`."""

    def __init__(self, labels: Sequence[str], cell: tuple[int, int], most: int, write: Callable[[U8], None]) -> None:
        self._cell, self._most, self._write = cell, most, write
        self._bar = _captions(labels, cell[0])
        self._cells: list[U8] = [np.zeros((cell[1], cell[0], 3), np.uint8)] * len(labels)
        self.mp4 = b""
        """The file, once the film is over."""

    def tap(self, column: int, frames: Iterable[U8]) -> Iterator[U8]:
        """Pass RGB frames on unchanged; the last column's frame completes a moment."""
        for t, frame in enumerate(frames):
            if t < self._most:
                self._show(column, frame)
            yield frame

    def _show(self, column: int, rgb8: U8) -> None:
        small = cv2.resize(rgb8, self._cell, interpolation=cv2.INTER_AREA)
        self._cells[column] = np.asarray(small, np.uint8)
        if column == len(self._cells) - 1:
            self._write(np.concatenate([self._bar, np.concatenate(self._cells, axis=1)]))


@dataclass
class NoFilm:
    """Stands in where nobody wants a film."""

    mp4: bytes = b""

    def tap(self, column: int, frames: Iterable[U8]) -> Iterable[U8]:
        """The frames themselves."""
        return frames


@contextmanager
def film(
    labels: Sequence[str], fps: Fraction, size: tuple[int, int], samples: F32, wanted: bool = True
) -> Iterator[Film | NoFilm]:
    """A film whose frames are given inside; afterwards it has its file, at most two minutes of it.

    Args:
        labels: one for each video, drawn above it.
        fps: frames per second of all.
        size: (width, height) of all.
        samples: (S,) 16 kHz sound, may be empty.
        wanted: otherwise nothing is made.
    """
    if not wanted:
        yield NoFilm()
        return
    height = min(HEIGHT, size[1], WIDTH // len(labels) * size[1] // size[0])
    cell = (max(2, height * size[0] // size[1] // 2 * 2), max(2, height // 2 * 2))
    sound = samples[: SECONDS * SAMPLE_RATE] if len(samples) else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        with VideoWriter(path, (cell[0] * len(labels), cell[1] + _BAR), fps, _SETTINGS, sound) as writer:
            behind: Behind[U8] = Behind(writer.write)
            made = Film(labels, cell, int(SECONDS * fps), behind.put)
            try:
                yield made
            except BaseException:
                with suppress(BaseException):  # the first error is the one that matters
                    behind.close()
                raise
            behind.close()
        made.mp4 = path.read_bytes()


def _captions(labels: Sequence[str], width: int) -> U8:
    """(24, width of all, 3) a bar with each video's name over it."""
    bars = []
    for label in labels:
        bar = np.full((_BAR, width, 3), 255, np.uint8)
        shown = label.encode("ascii", "replace").decode("ascii")[: max(4, width // 9)]
        cv2.putText(bar, shown, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (28, 35, 48), 1, cv2.LINE_AA)
        bars.append(bar)
    return np.concatenate(bars, axis=1)
