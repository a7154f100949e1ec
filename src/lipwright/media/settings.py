"""How results are encoded; the defaults suit delivery to a broadcaster or the web."""

from __future__ import annotations

import os
from dataclasses import dataclass

from lipwright.core.errors import ConfigError

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
CODECS = {"h264": "libx264"}
PIX_FMTS = ("yuv420p", "yuv422p", "yuv444p")


@dataclass(frozen=True)
class EncoderSettings:
    """Settings of one output file. ConfigError for values outside the ranges named."""

    codec: str = "h264"
    """Video codec: h264."""
    crf: int = 16
    """Constant quality, 0 (lossless) to 51; ignored when `bitrate` is given. The veryfast preset keeps more of a
    face's fine detail at 16 than at 18, for larger files and no more time."""
    bitrate: int | None = None
    """Bits per second of the video, held within a one-second buffer."""
    preset: str = "veryfast"
    """x264 speed preset, ultrafast to veryslow."""
    pix_fmt: str = "yuv420p"
    """yuv420p, yuv422p or yuv444p; odd sizes are always written as yuv444p (see media.writer)."""
    faststart: bool = True
    """Index before the data, so that playback starts before the download ends."""
    gop: int | None = None
    """Frames between keyframes, exactly; None leaves it to the encoder (at most 250, at scene cuts)."""
    bframes: int | None = None
    """Most B-frames in a row; None leaves it to the preset. 0 makes files that `media.cut` can cut."""
    threads: int | None = None
    """Encoder threads; None is one per core, 0 is not allowed. One thread beside busy render workers."""
    audio_codec: str = "aac"
    """Sound codec: aac."""
    audio_bitrate: int = 192_000
    """Bits per second of the sound, all channels together."""

    def __post_init__(self) -> None:
        self._one_of("codec", self.codec, tuple(CODECS))
        self._one_of("preset", self.preset, PRESETS)
        self._one_of("pix_fmt", self.pix_fmt, PIX_FMTS)
        self._one_of("audio_codec", self.audio_codec, ("aac",))
        self._within("crf", self.crf, 0, 51)
        self._within("bitrate", self.bitrate, 10_000, 1_000_000_000)
        self._within("gop", self.gop, 1, 100_000)
        self._within("bframes", self.bframes, 0, 16)
        self._within("threads", self.threads, 1, 128)
        self._within("audio_bitrate", self.audio_bitrate, 8_000, 1_000_000)

    def _one_of(self, name: str, value: str, known: tuple[str, ...]) -> None:
        if value not in known:
            raise ConfigError(f"encoder {name} {value!r} is unknown; choose from {', '.join(known)}")

    def _within(self, name: str, value: int | None, low: int, high: int) -> None:
        if value is not None and not low <= value <= high:
            raise ConfigError(f"encoder {name} {value} is outside {low} to {high}; choose a value inside")

    def options(self) -> dict[str, str]:
        """Private options of the x264 encoder."""
        chosen = {"preset": self.preset}
        if self.bitrate is None:
            chosen["crf"] = str(self.crf)
        else:
            rate = str(self.bitrate)
            chosen |= {"b": rate, "maxrate": rate, "bufsize": rate}
        if self.gop is not None:
            chosen |= {"g": str(self.gop), "keyint_min": str(self.gop), "sc_threshold": "0"}
        if self.bframes is not None:
            chosen["bf"] = str(self.bframes)
        return chosen

    @property
    def thread_count(self) -> int:
        """Threads to ask the encoder for."""
        return self.threads or os.cpu_count() or 1


STORE = EncoderSettings(crf=12, gop=12, bframes=0)
"""For files that we read back in any order and cut without encoding again (a subject's frames)."""
