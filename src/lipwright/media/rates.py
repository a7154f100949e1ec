"""Which constant frame rate footage should be worked on at."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice, pairwise

import av
from av.container import InputContainer

from lipwright.core.clock import round_half_up

COMMON = tuple(Fraction(n) for n in (24, 25, 30, 50, 60))
"""Rates that footage of variable rate is put on."""
_SLACK = Fraction(98, 100)
"""A mean rate this much above a common rate still counts as that rate: a few lost frames, a rounded duration."""
_ODD_SHARE, _ODD = Fraction(1, 100), 3
"""Share and number of intervals away from the usual one up to which a rate is constant and frames are missing."""
_LOOKED_AT = 400
"""Packets at the beginning that are looked at when the file has no index."""
_LOOKED_AT_INDEX = 4000


def grid_of(mean_rate: Fraction) -> Fraction:
    """The constant rate for footage whose timestamps vary: the smallest common one not below 98 % of the mean.

    Above 60 the mean rate rounded to a whole number.
    """
    for rate in COMMON:
        if rate >= _SLACK * mean_rate:
            return rate
    return Fraction(round_half_up(mean_rate))


def varies(stamps_s: Sequence[Fraction], tick_s: Fraction) -> bool:
    """Whether pictures at these times (rising) come irregularly, for what the clock of the file can tell.

    Args:
        tick_s: the file's smallest step of time; jitter of a step, of 1.1 ms (Matroska rounds to milliseconds) or of
            a tenth of the usual interval is not irregular.
    """
    steps = [b - a for a, b in pairwise(stamps_s)]
    usual = sorted(steps)[len(steps) // 2]
    slack = max(tick_s, Fraction(11, 10_000)) + usual / 10
    odd = sum(abs(step - usual) > slack for step in steps)
    return odd > _ODD and odd > _ODD_SHARE * len(steps)


def variable_rate(container: InputContainer, stream: av.VideoStream, seen: Sequence[int]) -> Fraction | None:
    """The mean rate of a track whose pictures come at irregular times, by its index or its first packets.

    None for a constant rate and for tracks without timestamps. Decodes nothing; the container is read on from where
    it stands.

    Args:
        seen: timestamps of the packets that were read from it already.
    """
    tick = Fraction(stream.time_base or 1)
    table = stream.index_entries
    if len(table) == stream.frames > 1 and not stream.codec_context.has_b_frames:
        stamps = [entry.timestamp for entry in islice(table, _LOOKED_AT_INDEX)]
    else:
        stamps = _packet_times(container, stream, seen)
    ordered = sorted(set(stamps))
    if len(ordered) < 3 or not varies([stamp * tick for stamp in ordered], tick):
        return None
    return Fraction(round_half_up(1000 * (len(ordered) - 1) / ((ordered[-1] - ordered[0]) * tick)), 1000)


def _packet_times(container: InputContainer, stream: av.VideoStream, seen: Sequence[int]) -> list[int]:
    stamps = list(seen)
    try:
        for packet in container.demux(stream):
            if packet.pts is not None and not packet.is_discard:
                stamps.append(packet.pts)
            if len(stamps) >= _LOOKED_AT:
                break
    except av.error.FFmpegError:
        pass
    return sorted(stamps)[:-16] if len(stamps) >= _LOOKED_AT else stamps  # among the last, some come later
