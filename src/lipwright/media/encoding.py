"""Settings, a file name and the template's pictures into one decided encoding, or one sentence why not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from lipwright.core.clock import round_half_up
from lipwright.core.errors import ConfigError
from lipwright.media.codecs import (
    DEFAULT_PRESET,
    FORMATS,
    SOUND,
    SUFFIXES,
    VIDEO,
    SoundCodec,
    VideoCodec,
    default_sound,
    default_video,
)
from lipwright.media.formats import nearest_pix_fmt, shape_of
from lipwright.media.settings import EncoderSettings

KEYFRAMES_S = 5
"""Most seconds between keyframes when `gop` is left open."""


@dataclass(frozen=True)
class Encoding:
    """What one file will hold."""

    settings: EncoderSettings
    suffix: str
    video: VideoCodec
    sound: SoundCodec
    pix_fmt: str
    """Of the encoder, with alpha where asked for."""
    base_fmt: str
    """The same without alpha: what pictures are converted to."""
    size: tuple[int, int]
    """(width, height) of the file."""

    @property
    def format(self) -> str:
        """Name of the muxer."""
        return FORMATS[self.suffix]

    def muxer_options(self, sound_rate: int | None = None) -> dict[str, str]:
        """Options of the container: the index first when `faststart` is set.

        mp4 states where its sound ends in ticks of the whole file: a millisecond unless told otherwise, which would
        cut up to half of one.
        """
        first = self.settings.faststart
        if self.suffix in (".mkv", ".webm"):
            return {"cues_to_front": "1"} if first else {}
        ticks = {"movie_timescale": str(sound_rate)} if sound_rate else {}
        return ticks | ({"movflags": "+faststart"} if first else {})

    def encoder_options(self, fps: Fraction) -> dict[str, str]:
        """Private options of the encoder."""
        chosen = dict(self.video.presets.get(self.settings.preset or DEFAULT_PRESET, {}))
        chosen |= _quality(self.video, self.settings) | _keyframes(self.video, self.settings, fps)
        return chosen | _private(self)


def plan(
    path: str | os.PathLike[str],
    settings: EncoderSettings,
    size: tuple[int, int] | None = None,
    source_pix_fmt: str | None = None,
) -> Encoding:
    """Decide everything that settings leave open.

    Args:
        path: the file; its suffix chooses the container.
        size: (width, height) of the frames; None when not known yet, to check the rest early.
        source_pix_fmt: FFmpeg name of the template's pixel format; None for 8-bit 4:2:0.

    ConfigError for a pair of codec and file that cannot be.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(f"cannot write {path}: name it {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    name = settings.codec or default_video(suffix, settings.alpha)
    video = VIDEO[name]
    _check_container(path, suffix, video, settings)
    _check_knobs(path, video, settings)
    sound = SOUND[settings.audio_codec or default_sound(suffix, name)]
    if suffix not in sound.suffixes:
        known = [s.name for s in SOUND.values() if suffix in s.suffixes]
        raise ConfigError(f"cannot write {sound.name} sound to {path}: in {suffix} use {' or '.join(known)}")
    target = _target_size(settings.size, size or (16, 16))
    base = _pix_fmt(path, video, settings, target, source_pix_fmt)
    pix_fmt = (video.alpha_fmt or base) if settings.alpha else base
    return Encoding(settings, suffix, video, sound, pix_fmt, base, target)


def _check_container(path: str | os.PathLike[str], suffix: str, video: VideoCodec, settings: EncoderSettings) -> None:
    if suffix not in video.suffixes:
        raise ConfigError(
            f"cannot write {video.name} to {path}: name the file {' or '.join(video.suffixes)}, or choose codec "
            f"{' or '.join(c.name for c in VIDEO.values() if suffix in c.suffixes)}"
        )
    if settings.alpha and suffix not in video.alpha_suffixes:
        named = f" as {video.name}" if settings.codec else ""
        raise ConfigError(
            f"cannot write transparency to {path}{named}: use vp9 in .webm or .mkv, or prores in .mov or .mkv"
        )


def _check_knobs(path: str | os.PathLike[str], video: VideoCodec, settings: EncoderSettings) -> None:
    if settings.crf is not None and not video.best <= settings.crf <= video.worst:
        raise ConfigError(
            f"crf {settings.crf} is outside {video.best} to {video.worst} of {video.name} for {path}; choose one inside"
        )
    for option, is_set, allowed in (
        ("bit rate to choose", settings.bitrate is not None, video.has_bitrate),
        ("speed presets", settings.preset is not None, bool(video.presets)),
        ("B-frames to choose", settings.bframes is not None, video.has_bframes),
    ):
        if is_set and not allowed:
            raise ConfigError(f"cannot write {path}: {video.name} has no {option}; leave that setting out")


def _target_size(wanted: tuple[int, int] | int | None, size: tuple[int, int]) -> tuple[int, int]:
    """`wanted` in full; a single number is the shorter side, the longer one follows, both even."""
    if wanted is None:
        return size
    if not isinstance(wanted, int):
        return wanted
    shorter = min(size)
    width, height = (2 * round_half_up(Fraction(side * wanted, 2 * shorter)) for side in size)
    return width, height


def _pix_fmt(
    path: str | os.PathLike[str],
    video: VideoCodec,
    settings: EncoderSettings,
    size: tuple[int, int],
    source: str | None,
) -> str:
    """The format to write, without alpha."""
    asked = settings.pix_fmt
    if settings.alpha:
        alpha = video.alpha_fmt or ""
        base = alpha.replace("yuva", "yuv")
        if asked not in (None, base):
            raise ConfigError(f"cannot write {path} as {asked}: {video.name} with transparency is {base}")
        if _is_odd(size, base):
            raise ConfigError(f"cannot write {path}: {_wh(size)} is odd and {alpha} is not; choose an even size")
        return base
    if asked is not None and asked not in video.pix_fmts:
        raise ConfigError(f"cannot write {path}: {video.name} has no {asked}; choose from {', '.join(video.pix_fmts)}")
    chosen = asked or nearest_pix_fmt(source or "yuv420p", video.pix_fmts)
    if not _is_odd(size, chosen):
        return chosen
    full = nearest_pix_fmt("yuv444p10le" if shape_of(chosen)[1] > 8 else "yuv444p", video.pix_fmts)
    meant = asked is not None and settings.size is not None  # both asked for by name: nothing to bend
    if meant or _is_odd(size, full):
        holder = asked if meant else video.name
        raise ConfigError(f"cannot write {path}: {holder} holds no odd size such as {_wh(size)}; choose an even one")
    return full


def _is_odd(size: tuple[int, int], pix_fmt: str) -> bool:
    """Whether a side is odd that the format halves (4:2:2 counts as both, players treat it so)."""
    return shape_of(pix_fmt)[0] < 2 and bool(size[0] % 2 or size[1] % 2)


def _wh(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _quality(video: VideoCodec, settings: EncoderSettings) -> dict[str, str]:
    crf = video.crf if settings.crf is None else settings.crf
    if settings.bitrate is not None:
        rate = str(settings.bitrate)
        held = {} if video.name == "av1" else {"maxrate": rate}
        return {"b": rate, "bufsize": rate} | held
    if video.name == "prores":
        return {"flags": "+qscale", "global_quality": str(crf * 118)}  # FF_QP2LAMBDA
    if crf == 0:
        return {"h264": {"qp": "0"}, "hevc": {}, "vp9": {"lossless": "1"}}[video.name]
    return {"crf": str(crf)} | ({"b": "0"} if video.name == "vp9" else {})


def _keyframes(video: VideoCodec, settings: EncoderSettings, fps: Fraction) -> dict[str, str]:
    if video.name == "prores":
        return {}
    chosen = {"g": str(settings.gop or max(1, int(KEYFRAMES_S * fps)))}
    if settings.gop is not None and video.name in ("h264", "hevc", "vp9"):
        chosen["keyint_min"] = str(settings.gop)
    if settings.gop is not None and video.name == "h264":
        chosen["sc_threshold"] = "0"
    if settings.bframes is not None:
        chosen["bf"] = str(settings.bframes)
    return chosen


def _private(encoding: Encoding) -> dict[str, str]:
    """What only one encoder understands."""
    settings, name = encoding.settings, encoding.video.name
    if name == "hevc":
        lossless = settings.bitrate is None and settings.crf == 0
        parts = ["log-level=error", "open-gop=0"]
        parts += ["lossless=1"] if lossless else []
        parts += ["scenecut=0"] if settings.gop is not None else []
        parts += [f"pools={settings.threads}"] if settings.threads else []
        return {"x265-params": ":".join(parts)}
    if name == "vp9":
        return {"row-mt": "1", "tile-columns": "2"} | ({"auto-alt-ref": "0"} if settings.alpha else {})
    if name == "av1":
        return {"svtav1-params": f"lp={settings.threads}"} if settings.threads else {}
    if name == "prores":
        four = encoding.base_fmt == "yuv444p10le"
        return {"profile": "4444" if four else "hq", "vendor": "apl0"}
    return {}
