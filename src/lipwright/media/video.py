"""Frames out of any video at a constant rate, on an exact grid, in constant memory.

Grid frame n stands for the time n / fps after the first picture. It shows the latest picture whose time is
before n / fps + 1 / (2 fps): sample and hold, with half a period of slack so that timestamps rounded to
milliseconds (Matroska) neither drop nor double a frame.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType

import av
from av.container import InputContainer

from lipwright.core.clock import as_rate, round_half_up
from lipwright.core.contracts import U8
from lipwright.core.errors import ConfigError, FootageError
from lipwright.media.opening import open_media, seconds, video_stream
from lipwright.media.picture import Picture
from lipwright.media.probe import VideoInfo, probe_video

_LOOK_BACK_S = (Fraction(0), Fraction(2), Fraction(10), Fraction(60))
"""How far before the wanted time to seek, when an earlier try landed behind it."""
_LONGEST_LAST_S = Fraction(1)
"""A last picture that claims to stay longer than this is given the nominal duration instead."""


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
        fps: rate of the grid; the file's nominal rate when None.
        start_s, end_s: seconds after the first picture; frames with start_s <= pts < end_s are given.
        size: (width, height) to scale to; the shown size when None.

    FootageError when the file cannot be read. `info` describes the file; `damaged` counts packets that
    could not be decoded (their time is filled by holding the picture before).
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        fps: Fraction | None = None,
        start_s: Fraction = Fraction(0),
        end_s: Fraction | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        self.path = path
        self._stack = ExitStack()
        with open_media(path) as container:
            self.info: VideoInfo = probe_video(container, path)
        try:
            self.fps = self.info.fps if fps is None else as_rate(fps)
        except ValueError as error:
            raise ConfigError(f"cannot read {path}: {error}; give a rate such as 25") from error
        self._first = max(0, -((-Fraction(start_s) * self.fps) // 1))
        self._last = None if end_s is None else -((-Fraction(end_s) * self.fps) // 1)
        self.size = size or (self.info.width, self.info.height)
        self.damaged = 0

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def __iter__(self) -> Iterator[VideoFrame]:
        half = 1 / (2 * self.fps)
        n, shown, until = self._first, None, Fraction(0)
        picture: Picture | None = None
        for start, frame in self._pictures(Fraction(self._first) / self.fps):
            # `shown` is on screen at every grid time that lies before this picture's (less the slack).
            while shown is not None and Fraction(n) / self.fps + half <= start and not self._done(n):
                picture = self._upright(shown) if picture is None else picture
                yield VideoFrame(picture, Fraction(n) / self.fps, n)
                n += 1
            if self._done(n):
                return
            shown, picture, until = frame, None, start + self._duration(frame)
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
        return length if 0 < length <= _LONGEST_LAST_S else 1 / self.info.fps

    def _upright(self, frame: av.VideoFrame) -> Picture:
        picture = Picture.of_av(frame, self.info.color).turned(self.info.rotation // 90)
        return picture if picture.size == self.size else picture.resized(self.size)

    def _pictures(self, wanted_s: Fraction) -> Iterator[tuple[Fraction, av.VideoFrame]]:
        """(seconds after the first picture, picture) with strictly rising times, the first one at or before
        `wanted_s` unless the file has none so early.
        """
        for back in _LOOK_BACK_S:
            if wanted_s - back <= 0:
                break
            pictures = self._open_at(self.info.start_s + wanted_s - back)
            first = next(pictures, None)
            if first is not None and first[0] <= wanted_s:
                yield first
                yield from pictures
                return
        pictures = self._open_at(None)
        first = next(pictures, None)
        if first is None:
            raise FootageError(f"no picture of {self.path} can be decoded; the file is damaged, export it again")
        yield first
        yield from pictures

    def _open_at(self, goal_s: Fraction | None) -> Iterator[tuple[Fraction, av.VideoFrame]]:
        """Timed pictures from the keyframe before `goal_s` (file clock) on; from the beginning when None."""
        self._stack.close()
        container = self._stack.enter_context(open_media(self.path))
        stream = video_stream(container, self.path)
        stream.thread_type = "AUTO"
        if goal_s is not None:
            try:
                container.seek(int(goal_s / Fraction(stream.time_base or 1)), stream=stream)
            except av.error.FFmpegError:
                return
        before: Fraction | None = None
        for frame in self._decoded(container, stream):
            # AVI has decoding times only: with B-frames they come in the wrong order.
            lost = container.format.name == "avi" and stream.codec_context.has_b_frames
            stamp = None if lost else seconds(frame.pts, frame.time_base)
            if stamp is None and goal_s is not None:
                return  # without timestamps only counting from the beginning is exact
            if stamp is None:
                start = Fraction(0) if before is None else before + 1 / self.info.fps
            else:
                start = stamp - self.info.start_s
            if before is not None and start <= before:
                continue  # doubled or backward timestamp: the earlier picture stays
            before = start
            yield start, frame

    def _decoded(self, container: InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:  # a tail that was cut off ends the file
                self.damaged += 1
                return
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self.damaged += 1
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self.damaged += 1
                else:
                    yield frame
