"""Footage whose pictures are repeated to fill a higher rate: found, and given back at its own rate."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import islice, pairwise

import av
import cv2
import numpy as np
from av.container import InputContainer

from lipwright.core.clock import round_half_up
from lipwright.core.contracts import F32
from lipwright.media.opening import open_media, seconds, video_stream
from lipwright.media.picture import planes_of
from lipwright.media.probe import VideoInfo, nominal_rate
from lipwright.media.pulldown import Cadence, best_phase, cadence_in, candidates, is_sure
from lipwright.media.rates import grid_of

__all__ = ["Cadence", "find_cadence", "without_repeats", "working_rate"]

_STRETCHES, _STRETCH = 3, 120
"""How many places of a file are looked at, and frames in each."""
_MOST = 4 * _STRETCH
"""Frames decoded at most for a place, when the keyframe before it lies far back."""
_WIDTH = 160
"""Of the pictures that are compared."""


def small_luma(frame: av.VideoFrame) -> F32:
    """(h, w) brightness of a frame about 160 pixels wide, in levels of 255."""
    known = frame if frame.format.is_planar and not frame.format.is_rgb else frame.reformat(format="gray8")
    luma = planes_of(known)[0]
    width = min(_WIDTH, luma.shape[1])
    size = width, max(1, round(luma.shape[0] * width / luma.shape[1]))
    small = cv2.resize(np.ascontiguousarray(luma), size, interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(small / (1 << (known.format.components[0].bits - 8)), np.float32)


def difference(before: F32, after: F32) -> float:
    """Mean of the largest tenth of the differences: a talking head moves in a small part of the picture."""
    if before.shape != after.shape:
        return float("inf")
    apart = np.abs(after - before).ravel()
    n = max(1, len(apart) // 10)
    return float(np.partition(apart, len(apart) - n)[-n:].mean())


def find_cadence(path: str | os.PathLike[str]) -> Cadence | None:
    """Look at a few places of a file for pictures repeated to a rule; decodes some 360 frames.

    None when there is no rule, too little motion to be sure, or the file has no usable timestamps.
    FootageError when the file cannot be read.
    """
    with open_media(path) as container:
        stream = video_stream(container, path)
        rate = nominal_rate(stream)
        if not candidates(rate):
            return None
        stream.thread_type = "AUTO"
        return cadence_in(rate, _stretches(container, stream, rate))


def working_rate(info: VideoInfo, cadence: Cadence | None = None) -> Fraction:
    """The constant rate footage is worked on at: the material's where a cadence was found, the nominal one of
    constant footage, else `rates.grid_of` the mean.
    """
    if cadence is not None:
        return cadence.rate
    return grid_of(info.fps) if info.variable else info.fps


def _stretches(container: InputContainer, stream: av.VideoStream, rate: Fraction) -> list[tuple[int, F32]]:
    """(first frame, differences) of a few places spread over the file."""
    tick = Fraction(stream.time_base or 1)
    length = seconds(stream.duration, tick) or Fraction(container.duration or 0, av.time_base)
    zero: Fraction | None = None
    end = Fraction(-1)
    found = []
    for k in range(_STRETCHES):
        at = length * k / _STRETCHES
        if zero is not None and at > end:
            with suppress(av.error.FFmpegError):
                container.seek(int((zero + at) / tick), stream=stream)
        numbered: list[tuple[int, F32]] = []
        with suppress(av.error.FFmpegError):
            for frame in islice(container.decode(stream), _MOST):
                stamp = seconds(frame.pts, frame.time_base)
                if stamp is None:
                    return []
                zero = stamp if zero is None else zero
                if stamp - zero > end:  # the keyframe before a place may lie in what was seen already
                    end = stamp - zero
                    numbered.append((round_half_up(end * rate), small_luma(frame)))
                if len(numbered) >= _STRETCH:
                    break
        found += _differences(numbered)
    return found


def _differences(numbered: Sequence[tuple[int, F32]]) -> list[tuple[int, F32]]:
    """One stretch, or none when it has a hole."""
    numbers = [n for n, _ in numbered]
    if len(numbers) < 3 or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return []
    pictures = [p for _, p in numbered]
    apart = [np.nan] + [difference(a, b) for a, b in pairwise(pictures)]
    return [(numbers[0], np.asarray(apart, np.float32))]


def without_repeats(
    frames: Iterable[tuple[Fraction, av.VideoFrame]], cadence: Cadence
) -> Iterator[tuple[Fraction, av.VideoFrame]]:
    """Drop the repeats of (seconds, frame) and put each other picture at its own time, a multiple of 1 / rate.

    Windows of `cadence.window` frames are held back to find their phase, so a seek must begin two windows before the
    first frame wanted to give the same pictures as reading from the beginning.
    """
    window: list[tuple[int, av.VideoFrame, float]] = []
    before: F32 | None = None
    last = -1
    for start, frame in frames:
        number = round_half_up(start * cadence.file_rate)
        luma = small_luma(frame)
        if window and number // cadence.window != window[0][0] // cadence.window:
            for slot, kept in _distinct(window, cadence):
                if slot > last:
                    yield slot / cadence.rate, kept
                    last = slot
            window = []
        window.append((number, frame, float("nan") if before is None else difference(before, luma)))
        before = luma
    for slot, kept in _distinct(window, cadence):
        if slot > last:
            yield slot / cadence.rate, kept
            last = slot


def _distinct(
    window: Sequence[tuple[int, av.VideoFrame, float]], cadence: Cadence
) -> Iterator[tuple[int, av.VideoFrame]]:
    """(number of the material's picture, frame) of the frames of one window that are no repeats."""
    if not window:
        return
    first, count = window[0][0], window[-1][0] - window[0][0] + 1
    differences = np.full(count, np.nan, np.float32)
    for number, _, apart in window:
        differences[number - first] = apart
    low, high, n, phase = best_phase(cadence, first, differences)
    sure = is_sure(low, high, n)
    for number, frame, _ in window:
        yield cadence.picture(number, phase if sure else cadence.phase), frame
