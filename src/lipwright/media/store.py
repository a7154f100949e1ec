"""Random access to the frames of a file we wrote, in both directions, in the memory of one keyframe group."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import InputContainer

from lipwright.core.clock import round_half_up
from lipwright.core.contracts import U8
from lipwright.core.errors import FootageError
from lipwright.media.opening import open_media, video_stream
from lipwright.media.picture import Picture
from lipwright.media.probe import VideoInfo, probe_video


class FrameStore:
    """Frames by number, of a constant-rate video with short groups of pictures (`settings.STORE`).

    Every call of `read` or `backward` opens the file on its own, so several may run side by side.
    FootageError when the file cannot be read; IndexError for frames that it does not have.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        with open_media(path) as container:
            self.info: VideoInfo = probe_video(container, path)
        self.fps = self.info.fps
        with open_media(path) as container:
            stream = video_stream(container, path)
            self._tick = Fraction(stream.time_base or 1)
            self._numbers, self._keys = self._index(container, stream)

    def _index(self, container: InputContainer, stream: av.VideoStream) -> tuple[int, list[int]]:
        """(number of frames, numbers of the keyframes), without decoding."""
        table = stream.index_entries
        if len(table) == stream.frames > 0 and not stream.codec_context.has_b_frames:  # mp4: no need to read
            start = table[0].timestamp
            stamps = [(e.timestamp - start, e.is_keyframe) for e in table]
        else:
            start = round_half_up(self.info.start_s / self._tick)
            packets = container.demux(stream)
            stamps = [(p.pts - start, p.is_keyframe) for p in packets if p.pts is not None]
        numbered = [(round_half_up(stamp * self._tick * self.fps), key) for stamp, key in stamps]
        total = 1 + max((number for number, _ in numbered), default=-1)
        keys = [number for number, key in numbered if key]
        if not keys:
            raise FootageError(f"{self.path} has no keyframe; it is damaged, prepare the footage again")
        return total, sorted(keys)

    def _number(self, pts: int) -> int:
        return round_half_up((pts * self._tick - self.info.start_s) * self.fps)

    def __len__(self) -> int:
        return self._numbers

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.info.width, self.info.height

    def frame(self, index: int) -> U8:
        """One (H, W, 3) RGB frame."""
        return next(self.read(index, 1))

    @property
    def pix_fmt(self) -> str:
        """Of the pictures, one of media.picture.PIX_FMTS."""
        return next(self.pictures(0, 1)).pix_fmt

    def read(self, first: int = 0, count: int | None = None) -> Iterator[U8]:
        """(H, W, 3) RGB of frames first, first + 1, ...: `count` of them, or to the end."""
        return (picture.rgb8() for picture in self.pictures(first, count))

    def backward(self, first: int, count: int | None = None) -> Iterator[U8]:
        """(H, W, 3) RGB of frames first, first - 1, ...: `count` of them, or down to 0."""
        return (picture.rgb8() for picture in self.pictures_backward(first, count))

    def pictures(self, first: int = 0, count: int | None = None, threads: int = 0) -> Iterator[Picture]:
        """Like `read`, in their own planes; `threads` of the decoder, 0 for all cores."""
        count = len(self) - first if count is None else count
        self._check(first, first + count - 1)
        return self._forward(first, first + count, threads)

    def pictures_backward(self, first: int, count: int | None = None, threads: int = 0) -> Iterator[Picture]:
        """Like `backward`, in their own planes."""
        count = first + 1 if count is None else count
        self._check(first - count + 1, first)
        return self._backward(first, first - count, threads)

    def _check(self, low: int, high: int) -> None:
        if low < 0 or high >= len(self):
            raise IndexError(f"frames {low} to {high} of {self.path}, which has {len(self)}")

    def _forward(self, first: int, end: int, threads: int) -> Iterator[Picture]:
        if first >= end:
            return
        for number, frame in self._decode(first, end, threads):
            if number >= first:
                yield Picture.of_av(frame, self.info.color)

    def _backward(self, first: int, stop: int, threads: int) -> Iterator[Picture]:
        while first > stop:
            key = self._keys[bisect_right(self._keys, first) - 1]
            group = [f for n, f in self._decode(key, first + 1, threads) if stop < n <= first]
            while group:
                yield Picture.of_av(group.pop(), self.info.color)
            first = key - 1

    def _decode(self, first: int, end: int, threads: int) -> Iterator[tuple[int, av.VideoFrame]]:
        """(number, picture) of every frame from the keyframe before `first` up to `end`."""
        key = self._keys[max(0, bisect_right(self._keys, first) - 1)]
        with open_media(self.path) as container:
            stream = video_stream(container, self.path)
            stream.thread_type = "AUTO"
            stream.codec_context.thread_count = threads
            goal = (self.info.start_s + Fraction(key) / self.fps) / self._tick
            container.seek(round_half_up(goal), stream=stream)
            seen = key - 1
            try:
                for frame in container.decode(stream):
                    if frame.pts is None or self._number(frame.pts) <= seen:
                        continue
                    seen = self._number(frame.pts)
                    if seen >= end:
                        return
                    yield seen, frame
                    if seen == end - 1:
                        return
            except av.error.FFmpegError as error:
                place = f"after frame {seen}"
                raise FootageError(f"{self.path} is damaged {place}; prepare the footage again") from error
