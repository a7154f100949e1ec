"""What a media file holds, from its header and its first decoded picture."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer

from lipwright.core.clock import as_rate
from lipwright.core.errors import FootageError
from lipwright.media.color import ColorTags, tags_of
from lipwright.media.opening import audio_stream, open_media, seconds, video_stream


@dataclass(frozen=True)
class VideoInfo:
    """A picture track as it is shown."""

    width: int
    """Pixels after rotation."""
    height: int
    fps: Fraction
    """Nominal rate; the mean rate when it varies."""
    start_s: Fraction
    """Time of the first picture in the file's own clock: the zero of all times we hand out."""
    codec: str
    pix_fmt: str
    color: ColorTags
    rotation: int
    """Degrees counter-clockwise applied to the stored picture: 0, 90, 180 or 270."""


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
    frame = first_picture(container, stream)
    if frame is None:
        raise FootageError(f"no picture of {path} can be decoded; the file is damaged, export it again")
    rotation = round(frame.rotation / 90) * 90 % 360
    width, height = frame.width, frame.height
    if rotation in (90, 270):
        width, height = height, width
    start = seconds(frame.pts, frame.time_base) or Fraction(0)
    codec = stream.codec_context.name
    return VideoInfo(width, height, nominal_rate(stream), start, codec, frame.format.name, tags_of(frame), rotation)


def first_picture(container: InputContainer, stream: av.VideoStream) -> av.VideoFrame | None:
    """The first picture that decodes, skipping damaged packets."""
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue
            if frames:
                return frames[0]
    except av.error.FFmpegError:
        return None
    return None


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
