"""The pictures of a file in order, each with its exact time, from any moment on; damage is stepped over."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain

import av
from av.container import InputContainer

from lipwright.core.errors import FootageError
from lipwright.media.cadence import Cadence, without_repeats
from lipwright.media.deinterlace import BEFORE, deinterlaced
from lipwright.media.opening import open_media, packets_of, seconds, video_stream
from lipwright.media.probe import VideoInfo

_LOOK_BACK_S = (Fraction(0), Fraction(2), Fraction(10), Fraction(60))
"""How far before the wanted time to seek, when an earlier try landed behind it."""
_COUNTED = ("mpeg",)
"""Containers that time only some pictures, so that only counting from the beginning is exact (MPEG program streams)."""
_LONGEST_WAIT = 300
"""Packets after a damaged one that are left out while no keyframe comes."""
_DELAY = 8
"""Packets after which a decoder with threads has reported an error for certain, about."""

Timed = Iterator[tuple[Fraction, av.VideoFrame]]


class PictureSource:
    """Whole (deinterlaced) pictures of one file, without repeats where a cadence is given.

    After a damaged packet pictures are left out until the next keyframe: those between are built on what was lost.
    `damaged` counts packets and pictures that could not be decoded, `lost_until_s` is the end of the last of them.
    """

    def __init__(self, path: str | os.PathLike[str], info: VideoInfo, cadence: Cadence | None = None) -> None:
        self.path, self.info, self.cadence = path, info, cadence
        self.damaged = 0
        self.lost_until_s = Fraction(0)
        self._stack = ExitStack()

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def pictures(self, wanted_s: Fraction) -> Timed:
        """(seconds after the first picture, picture) with strictly rising times, the first one at or before
        `wanted_s` unless the file has none so early. FootageError when nothing can be decoded.
        """
        early = BEFORE / self.info.fps if self.info.fields else Fraction(0)
        if self.cadence:
            early += 2 * self.cadence.window / self.cadence.file_rate
        timed = self._timed(wanted_s - early)
        return without_repeats(timed, self.cadence) if self.cadence else timed

    def _timed(self, wanted_s: Fraction) -> Timed:
        for back in _LOOK_BACK_S:
            if wanted_s - back <= 0:
                break
            pictures = self._open_at(self.info.start_s + wanted_s - back)
            first = next(pictures, None)
            if first is not None and first[0] <= wanted_s:
                return chain([first], pictures)
        pictures = self._open_at(None)
        first = next(pictures, None)
        if first is None:
            raise FootageError(f"no picture of {self.path} can be decoded; the file is damaged, export it again")
        return chain([first], pictures)

    def _open_at(self, goal_s: Fraction | None) -> Timed:
        """Timed pictures from the keyframe before `goal_s` (file clock) on; from the beginning when None."""
        self._stack.close()
        container = self._stack.enter_context(open_media(self.path))
        stream = video_stream(container, self.path)
        stream.thread_type = "AUTO"
        if goal_s is not None:
            if container.format.name in _COUNTED:
                return
            try:
                container.seek(int(goal_s / Fraction(stream.time_base or 1)), stream=stream)
            except av.error.FFmpegError:
                return
        # AVI has decoding times only: with B-frames they come in the wrong order.
        lost = container.format.name == "avi" and stream.codec_context.has_b_frames
        before: Fraction | None = None
        for frame in deinterlaced(self._decoded(container, stream), self.info.fields):
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
        is_ts = container.format.name == "mpegts"  # marks packets that are incomplete, others what follows a gap
        recent: deque[av.Packet] = deque(maxlen=_DELAY)
        waiting = 0
        for packet in packets_of(container, stream, self._count):
            if waiting and packet.size and not packet.is_keyframe:
                waiting -= 1
                self._until(packet)
                continue
            waiting = 0
            recent.append(packet)
            frames, whole = self._decode(packet)
            yield from frames
            if whole and not (packet.is_corrupt and (is_ts or not packet.is_keyframe)):
                continue
            self._count()
            self._until(packet)
            stream.codec_context.flush_buffers()  # a decoder with threads may not recover on its own
            waiting = _LONGEST_WAIT
            # Threads report an error some packets late: the last keyframe sent is tried again.
            for late in _from_keyframe(recent):
                frames, whole = self._decode(late)
                yield from frames
                waiting = 0 if whole else _LONGEST_WAIT
                if not whole:
                    stream.codec_context.flush_buffers()
                    break
            recent.clear()

    def _decode(self, packet: av.Packet) -> tuple[list[av.VideoFrame], bool]:
        """(pictures that are whole, whether there was no damage)."""
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            return [], False
        for frame in frames:
            if frame.is_corrupt:
                self._until(frame)
        good = [frame for frame in frames if not frame.is_corrupt]
        return good, len(good) == len(frames)

    def _until(self, thing: av.Packet | av.VideoFrame) -> None:
        stamp = seconds(thing.pts, thing.time_base)
        if stamp is not None:
            self.lost_until_s = max(self.lost_until_s, stamp - self.info.start_s + 1 / self.info.fps)

    def _count(self) -> None:
        self.damaged += 1


def _from_keyframe(packets: Sequence[av.Packet]) -> list[av.Packet]:
    """The last keyframe and what follows it; nothing when there is none, or no timestamps to know doubles by."""
    keys = [n for n, packet in enumerate(packets) if packet.is_keyframe and packet.pts is not None]
    return list(packets)[keys[-1] :] if keys else []
