"""Frames and speech into a finished file: colours labelled as converted, sound aligned, all or nothing.

Odd sizes: 4:2:0 cannot hold an odd width or height, and players must get back exactly the template's size,
so such files are written as 4:4:4 (H.264 High 4:4:4 Predictive), every other size as asked for.

Sound: AAC encoders prepend priming samples; they get negative timestamps, which the mp4 edit list takes
away again, so that the first sample heard is the first given (held by a test to a fraction of a
millisecond).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import OutputContainer
from av.packet import Packet
from av.video.reformatter import VideoReformatter

from lipwright.core.clock import SAMPLE_RATE, as_rate
from lipwright.core.contracts import F32, U8, Shown
from lipwright.core.errors import ConfigError, FootageError, OutputError, ShapeError
from lipwright.core.files import atomic_file
from lipwright.media.audio import AudioReader
from lipwright.media.color import BT709, ColorTags, apply_tags, from_rgb8
from lipwright.media.opening import open_media
from lipwright.media.picture import Picture
from lipwright.media.settings import CODECS, EncoderSettings

__all__ = ["EncoderSettings", "VideoWriter"]

CONTAINERS = (".mp4", ".mov", ".mkv", ".m4v")
_AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)


class VideoWriter:
    """Write frames, and sound beside them, to one file; a context manager.

    Args:
        path: the file; nothing appears there unless the `with` block ends without an error.
        size: (width, height) of every frame.
        fps: exact frame rate.
        settings: how to encode.
        audio: a file whose sound is used at its own rate in mono or stereo; or (S,) / (S, channels)
            samples in [-1, 1] at `audio_rate`; or None. Written in full, whatever the number of frames.
        color: the template's tags; the RGB frames are converted by the matrix and range they name, and
            the file is labelled with them. BT.709 limited when None.

    OutputError when the file cannot be written, ConfigError for a container we do not write.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        size: tuple[int, int],
        fps: Fraction,
        settings: EncoderSettings = EncoderSettings(),  # noqa: B008 (frozen)
        audio: str | os.PathLike[str] | F32 | None = None,
        color: ColorTags | None = None,
        audio_rate: int = SAMPLE_RATE,
        source_pix_fmt: str | None = None,
    ) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() not in CONTAINERS:
            raise ConfigError(f"cannot write {self.path}: name it {', '.join(CONTAINERS[:-1])} or {CONTAINERS[-1]}")
        self.size, self.fps, self.settings = size, as_rate(fps), settings
        odd = size[0] % 2 or size[1] % 2
        self.pix_fmt = "yuv444p" if odd else settings.pix_fmt
        self.color = (color or BT709).resolved(size[1])
        self.n_written = 0
        self._audio, self._audio_rate = audio, audio_rate
        self._reformatter = VideoReformatter()
        self._stack = ExitStack()

    def __enter__(self) -> VideoWriter:
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_file(self.path))
            try:
                self._container: OutputContainer = av.open(str(temporary), "w", options=self._muxer_options())
                stack.callback(self._abandon)
                self._open_streams()
            except av.error.FFmpegError as error:
                raise _plain(error) from error
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            if self.n_written == 0:
                raise OutputError(f"cannot write {self.path}: no frame was given; check the speech and template")
            try:
                self._mux(self._stream.encode(None))
                self._sound_until(None)
                self._container.close()
            except av.error.FFmpegError as failure:
                raise _plain(failure) from failure

    def write(self, rgb8: U8 | Shown) -> None:
        """Append one (H, W, 3) RGB frame. ShapeError for another size, OutputError when writing fails."""
        width, height = self.size
        if isinstance(rgb8, Picture):
            if rgb8.pix_fmt == self.pix_fmt and rgb8.tags == self.color:
                self._encode(rgb8.to_av())
                return
        if isinstance(rgb8, Shown):
            rgb8 = rgb8.rgb8()
        if rgb8.shape != (height, width, 3) or rgb8.dtype != np.uint8:
            raise ShapeError("frame to write (uint8)", (height, width, 3), rgb8.shape)
        self._encode(from_rgb8(rgb8, self._reformatter, self.color, self.pix_fmt))

    def _encode(self, frame: av.VideoFrame) -> None:
        frame.pts, frame.time_base = self.n_written, 1 / self.fps
        try:
            self._mux(self._stream.encode(frame))
            self.n_written += 1
            self._sound_until(self.n_written / self.fps)
        except av.error.FFmpegError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}; free some space and run again") from error

    def _muxer_options(self) -> dict[str, str]:
        is_mp4 = self.path.suffix.lower() != ".mkv"
        return {"movflags": "+faststart"} if is_mp4 and self.settings.faststart else {}

    def _open_streams(self) -> None:
        codec, options = CODECS[self.settings.codec], self.settings.options()
        stream = cast(av.VideoStream, self._container.add_stream(codec, rate=self.fps, options=options))
        stream.width, stream.height = self.size
        stream.pix_fmt = self.pix_fmt
        context = stream.codec_context
        context.time_base = 1 / self.fps
        context.thread_count = self.settings.thread_count
        apply_tags(context, self.color)
        self._stream = stream
        self._sound: Iterator[AudioFrame] | None = None
        if self._audio is not None:
            self._sound = self._open_sound()

    def _open_sound(self) -> Iterator[AudioFrame]:
        if isinstance(self._audio, np.ndarray):
            rate = self._audio_rate
            channels = 1 if self._audio.ndim == 1 else self._audio.shape[1]
            blocks = _slices(self._audio.reshape(len(self._audio), channels))
        else:
            assert self._audio is not None
            channels = _channels(self._audio)
            reader = AudioReader(self._audio, None, channels)
            if reader.source_rate not in _AAC_RATES:
                reader = AudioReader(self._audio, 48_000, channels)
            rate, blocks = reader.sample_rate, reader.blocks(8192)
        layout = {1: "mono", 2: "stereo"}.get(channels)
        if layout is None or rate not in _AAC_RATES:
            raise ConfigError(f"cannot encode sound of {channels} channels at {rate} Hz; give 1 or 2 at 48000 Hz")
        self._sound_stream = cast(av.AudioStream, self._container.add_stream(self.settings.audio_codec, rate=rate))
        context = self._sound_stream.codec_context
        context.layout, context.format = layout, "fltp"
        context.bit_rate = self.settings.audio_bitrate
        context.time_base = Fraction(1, rate)
        self._sound_s = Fraction(0)
        return _frames(blocks, rate, layout)

    def _sound_until(self, time_s: Fraction | None) -> None:
        """Encode sound up to a time, all of it and the encoder's rest when None."""
        if self._sound is None:
            return
        while time_s is None or self._sound_s < time_s:
            frame = next(self._sound, None)
            if frame is None:
                break
            self._sound_s += Fraction(frame.samples, frame.sample_rate)
            self._mux(self._sound_stream.encode(frame))
        if time_s is None:
            self._mux(self._sound_stream.encode(None))

    def _mux(self, packets: list[Packet]) -> None:
        for packet in packets:
            self._container.mux(packet)

    def _abandon(self) -> None:
        with suppress(av.error.FFmpegError, OSError, ValueError):
            self._container.close()


def _plain(error: av.error.FFmpegError) -> OSError:
    """As a plain OSError, which `atomic_file` turns into an OutputError naming the file."""
    return OSError(error.errno, error.strerror)


def _channels(path: str | os.PathLike[str]) -> int:
    with open_media(path) as container:
        if not container.streams.audio:
            raise FootageError(f"{path} has no sound track; give a file with speech in it")
        return min(2, container.streams.audio[0].codec_context.channels)


def _slices(samples: F32) -> Iterator[F32]:
    for start in range(0, len(samples), 8192):
        yield samples[start : start + 8192]


def _frames(blocks: Iterator[F32], rate: int, layout: str) -> Iterator[AudioFrame]:
    """Blocks as float-planar audio frames with exact timestamps."""
    n = 0
    for block in blocks:
        planar = np.ascontiguousarray(np.clip(block, -1, 1).reshape(len(block), -1).T, dtype=np.float32)
        frame = AudioFrame.from_ndarray(planar, "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, n, Fraction(1, rate)
        n += len(block)
        yield frame
