"""What a media file holds, from its header and its first decoded picture."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.container import InputContainer

from lipwright.core.clock import as_rate
from lipwright.core.errors import FootageError
from lipwright.media.color import BT709, ColorTags, tags_of
from lipwright.media.deinterlace import fields_of
from lipwright.media.hdr import is_hdr
from lipwright.media.opening import audio_stream, open_media, packets_of, seconds, video_stream
from lipwright.media.rates import variable_rate
from lipwright.media.upright import orientation_of, square_size


@dataclass(frozen=True)
class VideoInfo:
    """A picture track as it is shown."""

    width: int
    """Square pixels, after rotation."""
    height: int
    fps: Fraction
    """Nominal rate; the mean rate when it is `variable`."""
    start_s: Fraction
    """Time of the first picture in the file's own clock: the zero of all times we hand out."""
    codec: str
    pix_fmt: str
    color: ColorTags
    """Of the pictures as they are given to others: the file's own, BT.709 where HDR is turned into SDR."""
    rotation: int
    """Degrees counter-clockwise applied to the stored picture: 0, 90, 180 or 270."""
    mirrored: bool = False
    """Whether the picture is flipped left to right after turning."""
    pixel_aspect: Fraction = Fraction(1)
    """Width over height of a stored pixel; `width` and `height` have it taken out."""
    fields: str = ""
    """For interlaced material which field comes first, `tff`, `bff` or `auto` (each frame says); empty otherwise."""
    variable: bool = False
    """Whether pictures come at irregular times."""
    hdr: ColorTags | None = None
    """The file's own tags when it is HDR (PQ or HLG)."""


@dataclass(frozen=True)
class AudioInfo:
    """A sound track."""

    sample_rate: int
    channels: int
    codec: str
    start_s: Fraction
    """Time of the first sample in the file's own clock."""


@dataclass(frozen=True)
class MediaInfo:
    """A media file."""

    path: Path
    duration_s: Fraction | None
    """As the container states it: of the picture track, else of the sound; None when it does not say."""
    video: VideoInfo | None
    audio: AudioInfo | None


def probe(path: str | os.PathLike[str]) -> MediaInfo:
    """Describe a media file; decodes one picture.

    FootageError when the file cannot be read, or holds neither pictures nor sound.
    """
    with open_media(path) as container:
        video = audio = None
        if any(True for _ in container.streams.video) or not container.streams.audio:
            try:
                video = probe_video(container, path)
            except FootageError:
                if not container.streams.audio:  # cover art beside sound is an audio file
                    raise
        duration = _duration(container)
        if container.streams.audio:
            stream = audio_stream(container, path)
            context = stream.codec_context
            start = seconds(stream.start_time, stream.time_base) or Fraction(0)
            audio = AudioInfo(context.sample_rate, context.channels, context.name, start)
    return MediaInfo(Path(path), duration, video, audio)


def probe_video(container: InputContainer, path: str | os.PathLike[str]) -> VideoInfo:
    """Describe the picture track of an open container, which is left after its first picture."""
    stream = video_stream(container, path)
    stamps: list[int] = []
    pictures = _pictures(container, stream, stamps)
    frame = next(pictures, None)
    if frame is None:
        raise FootageError(f"no picture of {path} can be decoded; the file is damaged, export it again")
    rotation, mirrored = orientation_of(frame)
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width, height = square_size(frame.width, frame.height, aspect)
    if rotation in (90, 270):
        width, height = height, width
    tags = tags_of(frame)
    fields = fields_of(chain([frame], pictures), stream.codec_context.field_order)
    mean = variable_rate(container, stream, stamps)
    return VideoInfo(
        width,
        height,
        mean or nominal_rate(stream),
        seconds(frame.pts, frame.time_base) or Fraction(0),
        stream.codec_context.name,
        frame.format.name,
        BT709 if is_hdr(tags) else tags,
        rotation,
        mirrored,
        aspect,
        fields,
        mean is not None,
        tags if is_hdr(tags) else None,
    )


def first_picture(container: InputContainer, stream: av.VideoStream) -> av.VideoFrame | None:
    """The first picture that decodes, skipping damaged packets."""
    return next(_pictures(container, stream, []), None)


def _pictures(container: InputContainer, stream: av.VideoStream, stamps: list[int]) -> Iterator[av.VideoFrame]:
    """Decoded pictures; the timestamps of the packets read for them are added to `stamps`."""
    for packet in packets_of(container, stream):
        if packet.pts is not None and not packet.is_discard:
            stamps.append(packet.pts)
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue


def nominal_rate(stream: av.VideoStream) -> Fraction:
    """The rate a file means: its mean rate, rounded to the container's base rate when they nearly agree.

    A mean of 24.99 comes from a rounded duration, not from a camera. 25 when the file says nothing.
    """
    mean, base = stream.average_rate, stream.base_rate
    if not mean:
        mean = base or stream.guessed_rate
    if not mean:
        return Fraction(25)
    if base and abs(base / mean - 1) < Fraction(1, 200):
        mean = base
    rate = Fraction(mean)
    whole = round(rate)
    if whole and abs(rate / whole - 1) < Fraction(1, 5000):
        return Fraction(whole)
    return as_rate(min(rate, Fraction(1000)))


def _duration(container: InputContainer) -> Fraction | None:
    for stream in (*container.streams.video, *container.streams.audio):
        length = seconds(stream.duration, stream.time_base)
        if length:
            return length
    return Fraction(container.duration, av.time_base) if container.duration else None
