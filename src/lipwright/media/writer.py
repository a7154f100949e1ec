"""Frames and speech into a finished file: colours labelled as converted, sound aligned, all or nothing.

Odd sizes: 4:2:0 and 4:2:2 cannot hold an odd width or height, and players must get back exactly the template's
size, so such files are written as 4:4:4 (H.264 High 4:4:4 Predictive), every other size as asked for.

Nothing is held back here but what the encoders look ahead: a file of any length takes the same memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
from av.container import OutputContainer
from av.packet import Packet

from lipwright.core.clock import SAMPLE_RATE, as_rate
from lipwright.core.contracts import F32, U8
from lipwright.core.errors import ConfigError, OutputError
from lipwright.core.files import atomic_file
from lipwright.media.color import BT709, ColorTags, apply_tags
from lipwright.media.encoding import Encoding, plan
from lipwright.media.frames import FrameMaker
from lipwright.media.picture import Picture
from lipwright.media.settings import EncoderSettings
from lipwright.media.sound import SoundTrack

__all__ = ["EncoderSettings", "VideoWriter"]


class VideoWriter:
    """Write frames, and sound beside them, to one file; a context manager.

    Args:
        path: the file; nothing appears there unless the `with` block ends without an error.
        size: (width, height) of every frame given; the file's own is `settings.size` where that is set.
        fps: exact frame rate.
        settings: how to encode.
        audio: a file whose sound is used at its own rate in mono or stereo; or (S,) / (S, channels)
            samples in [-1, 1] at `audio_rate`; or None. Written in full, whatever the number of frames.
        color: the template's tags; RGB frames are converted by the matrix and range they name, and
            the file is labelled with them. BT.709 limited when None. ProRes knows limited range only.
        source_pix_fmt: the template's pixel format (FFmpeg name), which the file gets when the settings do not
            name one; None for 8-bit 4:2:0.

    Attributes: `pix_fmt` (without alpha) and `color` are what the file gets; a picture that has both goes
    to the encoder untouched. `out_size` is the file's (width, height).

    OutputError when the file cannot be written, ConfigError for a codec that the container does not hold.
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
        self.size, self.fps, self.settings = size, as_rate(fps), settings
        self.encoding: Encoding = plan(path, settings, size, source_pix_fmt)
        self.pix_fmt, self.out_size = self.encoding.base_fmt, self.encoding.size
        self.color = (color or BT709).resolved(size[1])
        if self.encoding.video.name == "prores":
            self.color = replace(self.color, range="limited")
        self.n_written = 0
        self._audio, self._audio_rate = audio, audio_rate
        alpha_fmt = self.encoding.pix_fmt if settings.alpha else None
        self._make = FrameMaker(size, self.out_size, self.pix_fmt, alpha_fmt, self.color)
        self._stack = ExitStack()

    def __enter__(self) -> VideoWriter:
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_file(self.path))
            self._sound = self._sound_track()
            options = self.encoding.muxer_options(self._sound.rate if self._sound else None)
            try:
                self._container: OutputContainer = av.open(
                    str(temporary), "w", format=self.encoding.format, options=options
                )
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
                self._mux(self._last_pictures())
                self._sound_until(None)
                self._container.close()
            except av.error.FFmpegError as failure:
                raise _plain(failure) from failure

    def write(self, frame: U8 | Picture, alpha: U8 | None = None) -> None:
        """Append one frame.

        Args:
            frame: (H, W, 3) RGB, or a picture in its own planes.
            alpha: (H, W) 0 (nothing) to 255 (opaque), for settings with `alpha`; opaque when None.

        ShapeError for another size, ConfigError for alpha that the file does not keep, OutputError when writing
        fails.
        """
        if alpha is not None and not self.settings.alpha:
            raise ConfigError(f"{self.path} keeps no transparency; set EncoderSettings(alpha=True)")
        made = self._make(frame, alpha)
        made.pts, made.time_base = self.n_written, 1 / self.fps
        try:
            self._mux(self._stream.encode(made))
            self.n_written += 1
            self._sound_until(self.n_written / self.fps)
        except av.error.FFmpegError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}; free some space and run again") from error

    def _sound_track(self) -> SoundTrack | None:
        if self._audio is None:
            return None
        return SoundTrack(self.encoding.sound, self.settings.audio_bitrate, self._audio, self._audio_rate)

    def _open_streams(self) -> None:
        encoding = self.encoding
        os.environ.setdefault("SVT_LOG", "1")  # errors only: it writes to stderr by itself
        options = encoding.encoder_options(self.fps)
        added = self._container.add_stream(encoding.video.encoder, rate=self.fps, options=options)
        stream = cast(av.VideoStream, added)
        stream.width, stream.height = encoding.size
        stream.pix_fmt = encoding.pix_fmt
        context = stream.codec_context
        context.time_base = 1 / self.fps
        context.thread_count = self.settings.thread_count
        if encoding.video.name == "hevc" and encoding.format in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # Apple's players open no other
        if self.settings.alpha and encoding.video.name == "vp9":
            stream.metadata["alpha_mode"] = "1"  # players look for it
        apply_tags(context, self.color)
        self._stream = stream
        if self._sound is not None:
            self._sound.attach(self._container)
        self._container.start_encoding()  # what an encoder refuses shows here, before the first frame is made

    def _last_pictures(self) -> list[Packet]:
        """What the encoder still holds."""
        packets = self._stream.encode(None)
        if self.encoding.video.name == "hevc" and self.n_written <= 2:
            for packet in packets:  # x265 gives no decoding times to clips shorter than its reordering
                packet.dts = packet.pts
        return packets

    def _sound_until(self, time_s: Fraction | None) -> None:
        """Encode sound up to a time, all of it and the encoder's rest when None."""
        if self._sound is not None:
            self._mux(self._sound.until(time_s))

    def _mux(self, packets: Iterable[Packet]) -> None:
        for packet in packets:
            self._container.mux(packet)

    def _abandon(self) -> None:
        with suppress(av.error.FFmpegError, OSError, ValueError):
            self._container.close()


def _plain(error: av.error.FFmpegError) -> OSError:
    """As a plain OSError, which `atomic_file` turns into an OutputError naming the file."""
    return OSError(error.errno, error.strerror)
