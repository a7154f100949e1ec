"""Footage whose pictures are repeated to fill a higher rate: found, and given back at its own rate.

A conversion without motion compensation shows material picture floor(i r / f + phase) in frame i, where r is the
material's rate and f the file's: 25 in 30 repeats every sixth frame, 24 in 30 every fifth, 30 in 60 every second.
The phase changes where such a file was edited, so it is found again for every window of frames.

Convention: the difference d[i] is between small luma pictures i - 1 and i; a repeat has d near zero beside the
differences around it (not zero: it was encoded again).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import round_half_up
from lipwright.core.contracts import F32
from lipwright.media.opening import open_media, seconds, video_stream
from lipwright.media.probe import VideoInfo, nominal_rate
from lipwright.media.rates import grid_of

_NTSC = Fraction(1000, 1001)
RATES = (*(n * k for n in (Fraction(24), Fraction(30), Fraction(48)) for k in (1, _NTSC)), Fraction(25), Fraction(50))
"""Material rates looked for. Below 24 (webcams at 15 in 30) nothing is changed: such footage is kept as it is."""
_HIGHEST = Fraction(9, 10)
"""Of the file's rate: above this (24 in 25) repeats are too rare to be told from still moments, and harm little."""
_STRETCHES, _STRETCH = 3, 120
"""How many places of a file are looked at, and frames in each."""
_MOST = 4 * _STRETCH
"""Frames decoded at most for a place, when the keyframe before it lies far back."""
_PIECE = 60
"""Frames that are given a phase of their own: 25 in 29.97 drifts, and edited footage jumps."""
_NEEDED = 10
"""Repeats with motion around them that must be seen before a cadence is believed."""
_STILL = 1.2
"""Levels of 255: below this difference of the moving parts, nothing moves and a repeat cannot be told."""
_REPEAT = 0.5
"""A repeat's difference is at most this part of the typical difference of the pictures around it."""
_LOW, _HIGH = 0.62, 0.8
"""Share of the repeats that must look like repeats, and of the other pictures that must not. Measured on the bundled
presenter at crf 18 to 30, with and without noise: at least 0.66 and 0.85 for the true cadence; where nothing is
repeated at most 0.22 for the first."""
_AROUND = 7
"""Frames to each side that say what a typical difference is."""
_WIDTH = 160


@dataclass(frozen=True)
class Cadence:
    """Material of one rate in a file of a higher one."""

    file_rate: Fraction
    rate: Fraction
    """Of the material, pictures a second."""
    phase: Fraction
    """0 <= phase < 1: frame i shows picture floor(i * rate / file_rate + phase), where a window cannot tell."""

    def picture(self, frame: int, phase: Fraction | None = None) -> int:
        """Number of the material's picture that a frame shows."""
        return int((frame * self.rate / self.file_rate + (self.phase if phase is None else phase)) // 1)

    def repeats(self, first: int, count: int, phase: Fraction) -> NDArray[np.bool_]:
        """(count,) whether frames first, first + 1, ... show the picture before them again."""
        shown = [self.picture(i, phase) for i in range(first - 1, first + count)]
        return np.diff(shown) == 0

    @property
    def phases(self) -> list[Fraction]:
        """All phases that give different repeats."""
        step = (self.rate / self.file_rate).limit_denominator(60).denominator
        return [Fraction(2 * k + 1, 2 * step) for k in range(step)]

    @property
    def window(self) -> int:
        """Frames for which one phase is found: at least two periods and a dozen."""
        period = (self.rate / self.file_rate).limit_denominator(30).denominator
        return period * max(2, -(-12 // period))


def small_luma(frame: av.VideoFrame) -> F32:
    """(h, w) brightness of a frame about 160 pixels wide, in levels of 255."""
    plane = frame.planes[0]
    deep = max(c.bits for c in frame.format.components) > 8
    if frame.format.is_planar and not frame.format.is_rgb:
        rows = np.frombuffer(memoryview(plane), np.uint16 if deep else np.uint8)  # type: ignore[arg-type]
        step = plane.line_size // rows.itemsize
        luma = rows[: step * plane.height].reshape(plane.height, step)[:, : plane.width]
    else:
        luma, deep = frame.reformat(format="gray8").to_ndarray(), False
    width = min(_WIDTH, luma.shape[1])
    size = width, max(1, round(luma.shape[0] * width / luma.shape[1]))
    small = cv2.resize(np.ascontiguousarray(luma), size, interpolation=cv2.INTER_AREA).astype(np.float32)
    bits = frame.format.components[0].bits
    return np.asarray(small / (1 << (bits - 8)) if deep else small, np.float32)


def difference(before: F32, after: F32) -> float:
    """Mean of the largest tenth of the differences: a talking head moves in a small part of the picture."""
    if before.shape != after.shape:
        return float("inf")
    apart = np.abs(after - before).ravel()
    n = max(1, len(apart) // 10)
    return float(np.partition(apart, len(apart) - n)[-n:].mean())


def _typical(differences: F32, repeats: NDArray[np.bool_]) -> F32:
    """(T,) median difference of the frames around each that are no repeats; nan where there are none."""
    kept = np.where(repeats, np.nan, differences)
    out = np.full(len(kept), np.nan, np.float32)
    for i in range(len(kept)):
        near = kept[max(0, i - _AROUND) : i + _AROUND + 1]
        near = near[np.isfinite(near)]
        if len(near):
            out[i] = np.median(near)
    return out


def agreement(differences: F32, repeats: NDArray[np.bool_]) -> tuple[float, float, int]:
    """How well differences fit the frames that a cadence calls repeats.

    Returns:
        (share of the repeats that look like repeats, share of the others that do not, number of repeats),
        all among frames with motion around them.
    """
    typical = _typical(differences, repeats)
    with np.errstate(invalid="ignore"):
        moving = np.isfinite(differences) & (typical > _STILL)
        low = differences < _REPEAT * typical
    n_repeats, n_others = int((moving & repeats).sum()), int((moving & ~repeats).sum())
    if not n_repeats or not n_others:
        return 0.0, 0.0, 0
    return float(low[moving & repeats].mean()), float(1 - low[moving & ~repeats].mean()), n_repeats


def best_phase(cadence: Cadence, first: int, differences: F32) -> tuple[float, float, int, Fraction]:
    """The phase that fits the differences of frames first, first + 1, ... best, after its `agreement`."""
    scored = [
        (*agreement(differences, cadence.repeats(first, len(differences), phase)), phase) for phase in cadence.phases
    ]
    return max(scored, key=lambda s: s[0] + s[1])


def candidates(file_rate: Fraction) -> list[Cadence]:
    """Cadences a file of this rate may hold, the highest material rate (the fewest repeats) first."""
    family = [r for r in RATES if r < _HIGHEST * file_rate and r >= 24 * _NTSC]
    simple: dict[Fraction, Fraction] = {}
    for rate in family:  # 24 and 23.976 in 30 cannot be told apart: the one with the simpler ratio is meant
        key = Fraction(round_half_up(rate))
        kept = simple.get(key)
        if kept is None or (rate / file_rate).denominator < (kept / file_rate).denominator:
            simple[key] = rate
    return [Cadence(file_rate, rate, Fraction(1, 2)) for rate in sorted(simple.values(), reverse=True)]


def cadence_in(file_rate: Fraction, stretches: Sequence[tuple[int, F32]]) -> Cadence | None:
    """The cadence that all stretches of differences agree with, each in its own phase; None when unsure.

    Args:
        stretches: (number of the first frame, (T,) differences); the first frame of a file has no difference (nan).
    """
    found: list[tuple[float, Cadence]] = []
    for candidate in candidates(file_rate):
        fits = [
            best_phase(candidate, first + at, differences[at : at + _PIECE])
            for first, differences in stretches
            for at in range(0, len(differences), _PIECE)
        ]
        n = sum(fit[2] for fit in fits)
        low, high = (sum(fit[k] * fit[2] for fit in fits) for k in (0, 1))
        if n >= _NEEDED and low >= _LOW * n and high >= _HIGH * n:
            # A cadence with more repeats explains more: 25 in 50 also agrees with the repeats of 30 in 50.
            phase = max(fits, key=lambda fit: (fit[0] + fit[1]) * fit[2])[3]
            found.append((low + high - n, Cadence(file_rate, candidate.rate, phase)))
    return max(found, key=lambda f: f[0])[1] if found else None


def find_cadence(path: str | os.PathLike[str]) -> Cadence | None:
    """Look at a few places of a file for pictures repeated to a rule; decodes some 360 frames.

    None when there is no rule, too little motion to be sure, or the file has no usable timestamps.
    FootageError when the file cannot be read.
    """
    with open_media(path) as container:
        stream = video_stream(container, path)
        stream.thread_type = "AUTO"
        rate, tick = nominal_rate(stream), stream.time_base
        length = seconds(stream.duration, tick) or Fraction(container.duration or 0, av.time_base)
        if not candidates(rate):
            return None
        zero: Fraction | None = None
        stretches = []
        end = Fraction(-1)
        for k in range(_STRETCHES):
            at = length * k / _STRETCHES
            if k and zero is None:
                break
            if k and at > end:
                with suppress(av.error.FFmpegError):
                    container.seek(int((zero + at) / Fraction(tick or 1)), stream=stream)
            numbered = []
            for frame in _some(container, stream):
                stamp = seconds(frame.pts, frame.time_base)
                if stamp is None:
                    return None
                zero = stamp if zero is None else zero
                if stamp - zero > end:  # the keyframe before a place may lie in what was seen already
                    end = stamp - zero
                    numbered.append((round_half_up(end * rate), small_luma(frame)))
                if len(numbered) >= _STRETCH:
                    break
            stretches += _differences(numbered)
    return cadence_in(rate, stretches)


def material_rate(path: str | os.PathLike[str]) -> Fraction | None:
    """The rate of the material in a file that repeats pictures to fill a higher one; None without such repeats.

    FootageError when the file cannot be read.
    """
    found = find_cadence(path)
    return None if found is None else found.rate


def working_rate(info: VideoInfo, cadence: Cadence | None = None) -> Fraction:
    """The constant rate footage is worked on at: the material's where a cadence was found, the nominal one of
    constant footage, else `rates.grid_of` the mean.
    """
    if cadence is not None:
        return cadence.rate
    return grid_of(info.fps) if info.variable else info.fps


def _some(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    with suppress(av.error.FFmpegError):
        yield from islice(container.decode(stream), _MOST)


def _differences(numbered: Sequence[tuple[int, F32]]) -> list[tuple[int, F32]]:
    """One stretch, or none when it has a hole."""
    numbers = [n for n, _ in numbered]
    if len(numbers) < 3 or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return []
    pictures = [p for _, p in numbered]
    apart = [np.nan] + [difference(a, b) for a, b in zip(pictures, pictures[1:], strict=False)]
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


def _distinct(window: Sequence[tuple[int, av.VideoFrame, float]], cadence: Cadence) -> Iterator[tuple[int, av.VideoFrame]]:
    """(number of the material's picture, frame) of the frames of one window that are no repeats."""
    if not window:
        return
    first, count = window[0][0], window[-1][0] - window[0][0] + 1
    differences = np.full(count, np.nan, np.float32)
    for number, _, apart in window:
        differences[number - first] = apart
    low, high, n, phase = best_phase(cadence, first, differences)
    sure = n > 0 and low >= _LOW and high >= _HIGH
    for number, frame, _ in window:
        yield cadence.picture(number, phase if sure else cadence.phase), frame
