"""Clips made on the spot: every picture carries its own number, so that one wrong frame shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from lipwright.media.color import ColorTags, apply_tags
from lipwright.media.picture import Picture

N_BITS = 8


def numbered(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A picture whose lower half shows `number` in eight black or white columns; the upper half is a ramp."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2] = np.linspace(60, 200, width, dtype=np.uint8)[None, :, None]
    for bit in range(N_BITS):
        columns = slice(bit * width // N_BITS, (bit + 1) * width // N_BITS)
        picture[height // 2 :, columns] = 255 * (number >> bit & 1)
    return picture


def number_in(picture: np.ndarray) -> int:
    """The number `numbered` drew."""
    height, width = picture.shape[:2]
    row = picture[height * 3 // 4].mean(axis=1)
    return sum(int(row[(2 * b + 1) * width // (2 * N_BITS)] > 128) << b for b in range(N_BITS))


def click_track(rate: int, length_s: float, click_s: float, channels: int = 1) -> np.ndarray:
    """(channels, S) silence with one 1 ms burst."""
    samples = np.zeros((channels, round(rate * length_s)), np.float32)
    at = round(rate * click_s)
    samples[:, at : at + max(1, rate // 1000)] = 0.8
    return samples


def make_clip(
    path: Path,
    n: int = 20,
    fps: Fraction = Fraction(25),
    size: tuple[int, int] = (64, 48),
    times_s: Sequence[Fraction] | None = None,
    video_start_s: Fraction = Fraction(0),
    rotation: int = 0,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    bframes: int = 2,
    gop: int = 12,
    sound: np.ndarray | None = None,
    sound_rate: int = 16_000,
    sound_start_s: Fraction = Fraction(0),
    sound_codec: str = "pcm_s16le",
    layout: str = "mono",
    muxer: dict[str, str] | None = None,
    cover: bool = False,
    options: dict[str, str] | None = None,
    picture: Callable[[int, int, int], np.ndarray] | None = None,
    shown: Sequence[int] | None = None,
    aspect: Fraction | None = None,
    tags: ColorTags | None = None,
) -> Path:
    """An encoded clip of numbered pictures and, when `sound` (channels, S) is given, a sound track.

    `shown` are the numbers of the pictures where they are not 0, 1, 2 ...; `picture(number, width, height)` draws.
    """
    chosen = {"bf": str(bframes), "g": str(gop), "crf": "10"} if codec == "libx264" else {}
    options, draw = chosen | (options or {}), picture or numbered
    n = n if shown is None else len(shown)
    known = (tags or ColorTags()).resolved(size[1])
    with av.open(str(path), "w", options=muxer or {}) as output:
        stream = output.add_stream(codec, rate=fps, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        tick = Fraction(1, 90_000) if times_s is not None or video_start_s else 1 / fps
        stream.codec_context.time_base = tick
        stream.time_base = tick
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if tags:
            apply_tags(stream.codec_context, tags)
        if rotation:
            stream.set_display_rotation(rotation)
        audio = None
        if sound is not None:
            audio = output.add_stream(sound_codec, rate=sound_rate)
            audio.codec_context.layout = layout
        if cover:
            art = output.add_stream("mjpeg", rate=1)
            art.width, art.height, art.pix_fmt = 640, 480, "yuvj420p"
            art.disposition = Disposition.attached_pic
        packets = []
        if cover:
            large = av.VideoFrame.from_ndarray(numbered(255, 640, 480)).reformat(format="yuvj420p")
            packets += art.encode(large) + art.encode(None)
        for i in range(n):
            frame = Picture.of_rgb8(draw(i if shown is None else shown[i], *size), known, pix_fmt).to_av()
            at = times_s[i] if times_s is not None else i / fps
            frame.pts, frame.time_base = round((at + video_start_s) / tick), tick
            packets += stream.encode(frame)
        packets += stream.encode(None)
        if audio is not None:
            packets += encode_sound(audio, sound, sound_rate, sound_start_s, layout)
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            output.mux(packet)
    return path


def encode_sound(
    stream: av.AudioStream, sound: np.ndarray, rate: int, start_s: Fraction, layout: str
) -> list[av.Packet]:
    packets = []
    for at in range(0, sound.shape[1], 1024):
        block = np.ascontiguousarray(sound[:, at : at + 1024])
        frame = av.AudioFrame.from_ndarray(block, "fltp", layout)
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = at + round(start_s * rate)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """`clip(name, **make_clip options)` writes a clip into the test's folder."""
    return lambda name="clip.mp4", **options: make_clip(tmp_path / name, **options)


@pytest.fixture
def read_number() -> Callable[[np.ndarray], int]:
    return number_in


@pytest.fixture
def draw_number() -> Callable[..., np.ndarray]:
    return numbered


@pytest.fixture
def clicks() -> Callable[..., np.ndarray]:
    return click_track


@pytest.fixture
def two_tracks(tmp_path: Path) -> Path:
    """English sound with a click at 0.2 s, and German, the default, with one at 0.6 s."""
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        sounds = []
        for language, click in (("eng", 0.2), ("deu", 0.6)):
            sound = output.add_stream("pcm_s16le", rate=48_000)
            sound.codec_context.layout = "mono"
            sound.metadata["language"] = language
            sound.disposition = Disposition.default if language == "deu" else Disposition(0)
            sounds.append((sound, click))
        packets = []
        for i in range(25):
            frame = av.VideoFrame.from_ndarray(numbered(i), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, 25)
            packets += stream.encode(frame)
        packets += stream.encode(None)
        for sound, click in sounds:
            packets += encode_sound(sound, click_track(48_000, 1.0, click), 48_000, Fraction(0), "mono")
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            output.mux(packet)
    return path
