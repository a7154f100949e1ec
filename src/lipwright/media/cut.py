"""Cutting without encoding again: packets of a file we wrote, from a keyframe on."""

from __future__ import annotations

import os
from fractions import Fraction

import av

from lipwright.core.clock import round_half_up
from lipwright.core.errors import FootageError
from lipwright.core.files import atomic_file
from lipwright.media.opening import open_media, video_stream
from lipwright.media.probe import nominal_rate


def copy_frames(
    source: str | os.PathLike[str], target: str | os.PathLike[str], first_frame: int, n_frames: int
) -> tuple[int, int]:
    """Copy a stretch of pictures bit for bit into a new file, without sound.

    The copy must begin at a keyframe: it starts at the last one at or before `first_frame` and ends with
    frame `first_frame + n_frames - 1` or the last one of the file.

    Args:
        source: a constant-rate file without B-frames (written with `settings.STORE`).
    Returns:
        (frame of the source that the copy begins with, number of frames in the copy).

    FootageError when the file has B-frames or ends before `first_frame`; OutputError when the copy cannot
    be written.
    """
    with open_media(source) as container:
        stream = video_stream(container, source)
        if stream.codec_context.has_b_frames:
            raise FootageError(f"{source} has B-frames and cannot be cut exactly; encode it with bframes=0")
        fps, tick = nominal_rate(stream), Fraction(stream.time_base or 1)
        zero = stream.start_time or 0
        container.seek(zero + round_half_up(Fraction(first_frame) / fps / tick), stream=stream)
        with atomic_file(target) as temporary:
            try:
                found = _copy(container, stream, str(temporary), zero, fps * tick, first_frame + n_frames)
            except av.error.FFmpegError as error:
                raise OSError(error.errno, error.strerror) from error
            if found is None or sum(found) <= first_frame:
                raise FootageError(f"{source} ends before frame {first_frame}; choose an earlier stretch")
    return found


def _copy(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    path: str,
    zero: int,
    frames_per_tick: Fraction,
    end_frame: int,
) -> tuple[int, int] | None:
    """Copy packets until `end_frame`; (first frame, frames copied), None when nothing was."""
    start, n = None, 0
    with av.open(path, "w", options={"movflags": "+faststart"}) as output:
        out_stream = output.add_stream_from_template(stream)
        for packet in container.demux(stream):
            if packet.pts is None or packet.dts is None:
                continue  # the empty packet that ends a file
            if start is None:
                if not packet.is_keyframe:
                    continue
                start = packet.pts
            if round_half_up((packet.pts - zero) * frames_per_tick) >= end_frame:
                break
            packet.pts -= start
            packet.dts -= start
            packet.stream = out_stream
            output.mux(packet)
            n += 1
    return None if start is None else (round_half_up((start - zero) * frames_per_tick), n)
