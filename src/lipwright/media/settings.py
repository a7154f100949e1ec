"""How results are encoded; the defaults suit delivery to a broadcaster or the web."""

from __future__ import annotations

import os
from dataclasses import dataclass

from lipwright.core.errors import ConfigError
from lipwright.media.codecs import PRESETS, SOUND, VIDEO
from lipwright.media.formats import PIX_FMTS


@dataclass(frozen=True)
class EncoderSettings:
    """Settings of one output file; None leaves a choice to the file's suffix, its codec or the template.

    ConfigError for values outside the ranges named. What a codec or a file cannot hold is refused when both
    are known, by `media.encoding.plan` (which VideoWriter calls before anything is written).
    """

    codec: str | None = None
    """Video codec: h264, hevc, vp9, av1 or prores (422 HQ, or 4444). None: vp9 in .webm, else h264; with `alpha`
    vp9, or prores in .mov."""
    crf: int | None = None
    """Constant quality, lower is better; ignored when `bitrate` is given. h264 and hevc 0 (lossless) to 51, vp9
    0 (lossless) to 63, av1 1 to 63, prores 1 to 31 (its quantiser). None: h264 12, hevc 12, vp9 9, av1 9 (all of
    equal PSNR on the presenter, see media.codecs), prores 2. Lower numbers cost bytes, hardly any time."""
    bitrate: int | None = None
    """Bits per second of the video, held within a one-second buffer (av1: on average); prores has none."""
    preset: str | None = None
    """Encoder speed, ultrafast to veryslow; None is veryfast. prores has one speed only."""
    pix_fmt: str | None = None
    """yuv420p, yuv422p or yuv444p, or these with 10le for ten bits. None: as the template's pictures, or the
    nearest that the codec holds. Odd sizes are always written as 4:4:4 (see media.writer)."""
    size: tuple[int, int] | int | None = None
    """(width, height) of the file in pixels, or its shorter side (1080 for 1080p) with the shape kept; None: as
    the template."""
    alpha: bool = False
    """Write the transparency given with every frame: vp9 (.webm, .mkv) or prores 4444 (.mov, .mkv)."""
    faststart: bool = True
    """Index before the data, so that playback starts before the download ends."""
    gop: int | None = None
    """Frames between keyframes, exactly; None leaves it to the encoder, at most 5 seconds, so that players
    can seek. prores has nothing but keyframes."""
    bframes: int | None = None
    """Most B-frames in a row, h264 and hevc only; None leaves it to the preset. 0 makes files that `media.cut`
    can cut."""
    threads: int | None = None
    """Encoder threads; None is one per core, 0 is not allowed. One thread beside busy render workers."""
    audio_codec: str | None = None
    """Sound codec: aac (.mp4, .m4v, .mov, .mkv), opus (.webm, .mkv), flac (.mkv), pcm_s16le or pcm_s24le (.mov,
    .mkv). None: aac; opus in .webm, flac in .mkv, pcm_s24le beside prores in .mov."""
    audio_bitrate: int = 192_000
    """Bits per second of aac or opus sound, all channels together."""

    def __post_init__(self) -> None:
        self._one_of("codec", self.codec, tuple(VIDEO))
        self._one_of("preset", self.preset, PRESETS)
        self._one_of("pix_fmt", self.pix_fmt, PIX_FMTS)
        self._one_of("audio_codec", self.audio_codec, tuple(SOUND))
        if self.codec is not None:  # else the file's suffix decides what the number may be
            self._within("crf", self.crf, VIDEO[self.codec].best, VIDEO[self.codec].worst)
        self._within("bitrate", self.bitrate, 10_000, 1_000_000_000)
        self._within("gop", self.gop, 1, 100_000)
        self._within("bframes", self.bframes, 0, 16)
        self._within("threads", self.threads, 1, 128)
        self._within("audio_bitrate", self.audio_bitrate, 8_000, 1_000_000)
        for side in (self.size,) if isinstance(self.size, int) else self.size or ():
            self._within("size", side, 16, 16_384)

    def _one_of(self, name: str, value: str | None, known: tuple[str, ...]) -> None:
        if value is not None and value not in known:
            raise ConfigError(f"encoder {name} {value!r} is unknown; choose from {', '.join(known)}")

    def _within(self, name: str, value: int | None, low: int, high: int) -> None:
        if value is not None and not low <= value <= high:
            raise ConfigError(f"encoder {name} {value} is outside {low} to {high}; choose a value inside")

    @property
    def thread_count(self) -> int:
        """Threads to ask the encoder for."""
        return self.threads or os.cpu_count() or 1


STORE = EncoderSettings(codec="h264", crf=12, gop=12, bframes=0)
"""For files that we read back in any order and cut without encoding again (a subject's frames)."""
