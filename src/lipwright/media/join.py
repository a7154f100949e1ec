"""Joining without encoding again: files that we wrote with the same settings, one after the other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction

import av

from lipwright.core.clock import round_half_up
from lipwright.core.files import atomic_file
from lipwright.media.opening import open_media, video_stream
from lipwright.media.probe import nominal_rate


def join_frames(sources: Sequence[str | os.PathLike[str]], target: str | os.PathLike[str]) -> int:
    """Copy the pictures of `sources` bit for bit into one file, without sound; returns the frames written.

    All must come from the same writer settings (constant rate, no B-frames). OutputError when the target
    cannot be written, FootageError when a source cannot be read.
    """
    n_frames = 0
    with atomic_file(target) as temporary:
        try:
            with av.open(str(temporary), "w", options={"movflags": "+faststart"}) as output:
                out_stream: av.VideoStream | None = None
                for source in sources:
                    with open_media(source) as container:
                        stream = video_stream(container, source)
                        if out_stream is None:
                            out_stream = output.add_stream_from_template(stream)
                        ticks = 1 / nominal_rate(stream) / Fraction(stream.time_base or 1)
                        zero, first = stream.start_time or 0, n_frames
                        for packet in container.demux(stream):
                            if packet.pts is None or packet.dts is None:
                                continue  # the empty packet that ends a file
                            stamp = packet.pts - zero + round_half_up(first * ticks)
                            packet.pts = packet.dts = stamp
                            packet.stream = out_stream
                            output.mux(packet)
                            n_frames += 1
        except av.error.FFmpegError as error:
            raise OSError(error.errno, error.strerror) from error
    return n_frames
