"""Opening media files; everything that can be wrong with one becomes a FootageError in a clear sentence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition

from lipwright.core.errors import FootageError

_NOT_MEDIA = ("tty", "image2", "ico", "apng")
"""Demuxers that accept pictures and plain text; `*_pipe` (png_pipe, jpeg_pipe ...) are pictures too."""
_FAILURES = 16
"""A file is over when reading fails so often in a row."""


@contextmanager
def open_media(path: str | os.PathLike[str]) -> Iterator[InputContainer]:
    """Open a media file for reading.

    FootageError when it is missing, a folder, empty, an image, or not media at all.
    """
    source = Path(path)
    if not source.exists():
        raise FootageError(f"{source} does not exist; check the path")
    if source.is_dir():
        raise FootageError(f"{source} is a folder; name the video or audio file inside it")
    try:
        if source.stat().st_size == 0:
            raise FootageError(f"{source} is empty (0 bytes); copy or record it again")
        container = av.open(str(source), metadata_errors="ignore")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, FootageError):
            raise
        raise FootageError(f"{source} {_reason(error)}") from error
    with container:
        _refuse_images(source, container)
        if not any(s.codec_context for s in (*container.streams.video, *container.streams.audio)):
            raise FootageError(
                f"{source} has a damaged index or no track that can be decoded here; export it again as mp4"
            )
        yield container


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "may not be read by this user; change its permissions"
    return (
        "is not a video or audio file, or its beginning or index is missing (a broken copy or an unfinished "
        "recording); open it in a player to check, then export it again as mp4"
    )


def _refuse_images(source: Path, container: InputContainer) -> None:
    name = container.format.name
    if name in _NOT_MEDIA[1:] or name.endswith("_pipe"):
        raise FootageError(f"{source} is an image, not footage; give a video of at least a few seconds")
    if name == "tty":
        raise FootageError(f"{source} is a text file, not video or audio; give an mp4, mov, mkv or wav file")


def video_stream(container: InputContainer, path: str | os.PathLike[str]) -> av.VideoStream:
    """The largest picture track that is not cover art. FootageError when there is none."""
    streams = container.streams.video
    moving = [s for s in streams if not s.disposition & Disposition.attached_pic]
    if not moving:
        why = "only a cover picture" if streams else "no picture track"
        raise FootageError(f"{path} has {why}, so no face can be found in it; give a video file")
    usable = [s for s in moving if s.codec_context is not None]
    if not usable:
        raise FootageError(
            f"{path} has a damaged index or a codec that cannot be decoded here; export it again as H.264 mp4"
        )
    return max(usable, key=lambda s: s.codec_context.width * s.codec_context.height)


def audio_stream(container: InputContainer, path: str | os.PathLike[str], track: int | None = None) -> av.AudioStream:
    """A sound track: number `track` (from 0), or the default one, else the first.

    FootageError when there is none, or none of that number; the message then lists what there is.
    """
    streams = [s for s in container.streams.audio if s.codec_context is not None]
    if not streams:
        raise FootageError(f"{path} has no sound track; give a file with speech in it")
    if track is None:
        return next((s for s in streams if s.disposition & Disposition.default), streams[0])
    if not 0 <= track < len(streams):
        known = ", ".join(f"{n} ({_described(s)})" for n, s in enumerate(streams))
        raise FootageError(f"{path} has no sound track {track}; choose one of {known}")
    return streams[track]


def _described(stream: av.AudioStream) -> str:
    context = stream.codec_context
    channels = {1: "mono", 2: "stereo"}.get(context.channels, context.layout.name)
    parts = [stream.language, stream.metadata.get("title"), context.name, channels]
    return " ".join(p for p in parts if p and p != "und")


def packets_of(
    container: InputContainer, stream: av.VideoStream | av.AudioStream, damaged: Callable[[], None] | None = None
) -> Iterator[av.Packet]:
    """All packets of a track and the empty one at the end, going on after places that cannot be read.

    Args:
        damaged: called at each such place.
    """
    failures = 0
    while failures < _FAILURES:
        try:
            for packet in container.demux(stream):
                failures = 0
                yield packet
            return
        except av.error.FFmpegError:
            failures += 1
            if damaged:
                damaged()


def seconds(pts: int | None, time_base: Fraction | None) -> Fraction | None:
    """Exact seconds of a timestamp, None when the file has none."""
    return None if pts is None or time_base is None else pts * Fraction(time_base)
