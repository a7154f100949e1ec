"""What each codec can hold, which files hold it, and how its knobs map onto ours.

Default qualities: the bundled presenter (its first 75 frames, 512x512, decoded, encoded again) has a luma PSNR
of 51.5 dB as H.264 at crf 12, preset veryfast; the other codecs' defaults are the whole numbers that come
nearest: HEVC 12 (51.4 dB), VP9 9 (51.4 dB), AV1 9 (51.6 dB). ProRes is for editing: its quantiser 2 gives
56.8 dB. At crf 16 the encoder took more of the full frame's SSIM on real footage than the drawn mouth did.

Speeds: the nine names of x264 and x265; for VP9 and AV1 they choose `cpu-used` and the SVT preset so that
`veryfast` encodes 1080p faster than it plays on two cores. VP9's better deadline takes six times the work for
a tenth fewer bits there, so it starts at `fast`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lipwright.media.formats import PIX_FMTS

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
DEFAULT_PRESET = "veryfast"


@dataclass(frozen=True)
class VideoCodec:
    """One picture codec."""

    name: str
    encoder: str
    suffixes: tuple[str, ...]
    pix_fmts: tuple[str, ...]
    crf: int
    """Default constant quality; lower is better."""
    worst: int
    """Largest crf."""
    best: int = 0
    """Smallest crf; 0 means lossless."""
    alpha_fmt: str | None = None
    """Pixel format with transparency."""
    alpha_suffixes: tuple[str, ...] = ()
    presets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Encoder options of each speed; empty where the encoder has one speed only."""
    has_bframes: bool = False
    """Whether the number of B-frames can be chosen."""
    has_bitrate: bool = True
    """Whether a bit rate can be asked for."""


@dataclass(frozen=True)
class SoundCodec:
    """One sound codec."""

    name: str
    encoder: str
    sample_format: str
    suffixes: tuple[str, ...]
    rates: tuple[int, ...] | None = None
    """Sample rates it takes, others are resampled to 48 kHz; None takes any."""


def _same(names: tuple[str, ...]) -> dict[str, dict[str, str]]:
    return {name: {"preset": name} for name in names}


def _vpx(deadline: str, cpu_used: int) -> dict[str, str]:
    return {"deadline": deadline, "cpu-used": str(cpu_used)}


_VPX_SPEEDS = [("realtime", 8), ("realtime", 7), ("realtime", 6), ("realtime", 5)]
_VPX_SPEEDS += [("good", 5), ("good", 4), ("good", 2), ("good", 1), ("good", 0)]
_SVT_SPEEDS = (12, 10, 8, 7, 6, 5, 4, 3, 2)
_MP4 = (".mp4", ".m4v", ".mov", ".mkv")

VIDEO = {
    codec.name: codec
    for codec in (
        VideoCodec("h264", "libx264", _MP4, PIX_FMTS, 12, 51, presets=_same(PRESETS), has_bframes=True),
        VideoCodec("hevc", "libx265", _MP4, PIX_FMTS, 12, 51, presets=_same(PRESETS), has_bframes=True),
        VideoCodec(
            "vp9",
            "libvpx-vp9",
            (".webm", ".mkv", ".mp4"),
            PIX_FMTS[:3],
            9,
            63,
            alpha_fmt="yuva420p",
            alpha_suffixes=(".webm", ".mkv"),
            presets={name: _vpx(*speed) for name, speed in zip(PRESETS, _VPX_SPEEDS, strict=True)},
        ),
        VideoCodec(
            "av1",
            "libsvtav1",
            (".mp4", ".mkv", ".webm"),
            ("yuv420p", "yuv420p10le"),
            9,
            63,
            best=1,
            presets={name: {"preset": str(speed)} for name, speed in zip(PRESETS, _SVT_SPEEDS, strict=True)},
        ),
        VideoCodec(
            "prores",
            "prores_ks",
            (".mov", ".mkv"),
            ("yuv422p10le", "yuv444p10le"),
            2,
            31,
            best=1,
            alpha_fmt="yuva444p10le",
            alpha_suffixes=(".mov", ".mkv"),
            has_bitrate=False,
        ),
    )
}
"""Picture codecs by name. The bundled libvpx and SVT are built for what `pix_fmts` says and no more."""

_AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)
SOUND = {
    codec.name: codec
    for codec in (
        SoundCodec("aac", "aac", "fltp", _MP4, _AAC_RATES),
        SoundCodec("opus", "libopus", "flt", (".webm", ".mkv"), (48_000,)),
        SoundCodec("flac", "flac", "s32", (".mkv",)),
        SoundCodec("pcm_s16le", "pcm_s16le", "s16", (".mov", ".mkv")),
        SoundCodec("pcm_s24le", "pcm_s24le", "s32", (".mov", ".mkv")),
    )
}
"""Sound codecs by name."""

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm")
FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
"""Muxers by suffix: .m4v is written as mp4, because the muxer of that name knows no HEVC."""


def default_video(suffix: str, alpha: bool) -> str:
    """The codec people expect in such a file."""
    if alpha:
        return "prores" if suffix == ".mov" else "vp9"
    return "vp9" if suffix == ".webm" else "h264"


def default_sound(suffix: str, video: str) -> str:
    """The sound people expect beside `video` in such a file.

    FLAC in Matroska: AAC's padding cannot be taken away again there, so the file would be longer than the
    speech by up to 1023 samples and state a length of up to 2047 more.
    """
    if suffix == ".webm":
        return "opus"
    if suffix == ".mkv":
        return "flac"
    return "pcm_s24le" if video == "prores" else "aac"
