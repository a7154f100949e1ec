"""Frames out of any video at a constant rate, on an exact grid, in constant memory.

Grid frame n stands for the time n / fps after the first picture. It shows the latest picture whose time is
before n / fps + 1 / (2 fps): sample and hold, with half a period of slack so that timestamps rounded to
milliseconds (Matroska) neither drop nor double a frame.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType

import av

from lipwright.core.clock import as_rate, round_half_up
from lipwright.core.contracts import U8
from lipwright.core.errors import ConfigError
from lipwright.media.cadence import Cadence, working_rate
from lipwright.media.decoding import PictureSource
from lipwright.media.hdr import HdrToSdr
from lipwright.media.opening import open_media, seconds
from lipwright.media.picture import Picture
from lipwright.media.probe import VideoInfo, probe_video

_LONGEST_LAST_S = Fraction(1)
"""A last picture that claims to stay longer than this is given the nominal duration instead."""
_HOLE_S = Fraction(1, 10)
"""A picture held longer than this beyond its own time is noted."""


@dataclass(frozen=True)
class VideoFrame:
    """One frame of the constant-rate grid."""

    picture: Picture
    """Upright, at the reader's size."""
    pts: Fraction
    """Seconds after the first picture of the file: index / fps."""
    index: int
    """Number in the grid of the whole file, also after a seek."""

    @property
    def rgb8(self) -> U8:
        """(H, W, 3) RGB."""
        return self.picture.rgb8()


class VideoReader:
    """Iterate over the frames of a file; a context manager; iterate once.

    Args:
        path: any video file.
        fps: rate of the grid; `cadence.working_rate` when None.
        start_s, end_s: seconds after the first picture; frames with start_s <= pts < end_s are given.
        size: (width, height) to scale to; the shown size when None.
        cadence: from `cadence.find_cadence`, for material of a lower rate in a file of a higher one: its pictures,
            each once and in order, evenly spread; None takes the file as it is.

    Interlaced pictures are made whole and HDR ones brought to SDR on the way. FootageError when the file cannot be
    read. `info` describes the file. `damaged` counts packets that could not be decoded; `held` lists the stretches
    (start, end in seconds) that were filled by holding the picture before for more than a tenth of a second.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        fps: Fraction | None = None,
        start_s: Fraction = Fraction(0),
        end_s: Fraction | None = None,
        size: tuple[int, int] | None = None,
        cadence: Cadence | None = None,
    ) -> None:
        self.path = path
        with open_media(path) as container:
            self.info: VideoInfo = probe_video(container, path)
        try:
            self.fps = working_rate(self.info, cadence) if fps is None else as_rate(fps)
        except ValueError as error:
            raise ConfigError(f"cannot read {path}: {error}; give a rate such as 25") from error
        self._first = max(0, -((-Fraction(start_s) * self.fps) // 1))
        self._last = None if end_s is None else -((-Fraction(end_s) * self.fps) // 1)
        self.size = size or (self.info.width, self.info.height)
        self.held: list[tuple[Fraction, Fraction]] = []
        self._source = PictureSource(path, self.info, cadence)
        self._period = 1 / (cadence.rate if cadence else self.info.fps)
        self._sdr = HdrToSdr(self.info.hdr) if self.info.hdr else None

    @property
    def damaged(self) -> int:
        """Packets and pictures that could not be decoded so far."""
        return self._source.damaged

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._source.close()

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def __iter__(self) -> Iterator[VideoFrame]:
        half = 1 / (2 * self.fps)
        n, shown, until, own_end = self._first, None, Fraction(0), Fraction(0)
        picture: Picture | None = None
        for start, frame in self._source.pictures(Fraction(self._first) / self.fps):
            # `shown` is on screen at every grid time that lies before this picture's (less the slack).
            while shown is not None and Fraction(n) / self.fps + half <= start and not self._done(n):
                picture = self._upright(shown) if picture is None else picture
                yield VideoFrame(picture, Fraction(n) / self.fps, n)
                n += 1
            if shown is not None and start - own_end > _HOLE_S:
                self._note(own_end, start)
            if self._done(n):
                return
            shown, picture, until, own_end = frame, None, start + self._duration(frame), start + self._period
        if shown is not None and self._source.lost_until_s - own_end > _HOLE_S:
            until = max(until, self._source.lost_until_s)
            self._note(own_end, until)
        n_total = round_half_up(until * self.fps)
        if shown is not None and n_total == 0:
            n_total = 1  # one very short picture is still one frame
        while shown is not None and n < n_total and not self._done(n):
            picture = self._upright(shown) if picture is None else picture
            yield VideoFrame(picture, Fraction(n) / self.fps, n)
            n += 1

    def _done(self, n: int) -> bool:
        return self._last is not None and n >= self._last

    def _duration(self, frame: av.VideoFrame) -> Fraction:
        length = seconds(frame.duration, frame.time_base) or Fraction(0)
        usable = self._source.cadence is None and 0 < length <= _LONGEST_LAST_S
        return length if usable else self._period

    def _note(self, start_s: Fraction, end_s: Fraction) -> None:
        """Remember a stretch that was filled by holding, as far as it lies in the frames given."""
        start_s = max(start_s, Fraction(self._first) / self.fps)
        if self._last is not None:
            end_s = min(end_s, Fraction(self._last) / self.fps)
        if start_s < end_s:
            self.held.append((start_s, end_s))

    def _upright(self, frame: av.VideoFrame) -> Picture:
        shown = self._sdr(frame) if self._sdr else frame
        picture = Picture.of_av(shown, self.info.color).turned(self.info.rotation // 90, self.info.mirrored)
        return picture if picture.size == self.size else picture.resized(self.size)
