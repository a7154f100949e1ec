"""A list of template frames to show, tick by tick of the template's clock, that repeats for ever from some point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import round_half_up

Ints = NDArray[np.int64]
EASE_S = Fraction(3, 5)
"""Seconds over which the walk slows before a turn, and again speeds up after it. Pictures are shown whole, so that
the slow part is about 0.3 s of pictures shown twice."""
_SLOWEST = 0.4
"""Speed at the turn: slower would show one picture for more than three frames, which stutters."""
_TURN_HOLD = 3
"""Ticks for which the frame of an eased turn is shown."""
FADE_S = Fraction(6, 25)
"""Length of a cross-fade: 6 frames at 25 a second."""


class Steps(NamedTuple):
    """What each frame of a stretch shows: (1 - w) · template[i] + w · template[j]."""

    i: Ints
    """(N,) template frames."""
    j: Ints
    """(N,) template frames; equal to `i` where `w` is 0."""
    w: NDArray[np.float32]
    """(N,) in [0, 1): 0 except inside a cross-fade."""


@dataclass(frozen=True, eq=False)
class Tape:
    """S steps, then those from `again` on for ever; S is of the order of the template whatever the result's length."""

    steps: Steps
    again: int
    """Step that follows the last one."""
    turns: tuple[int, ...] = field(default=())
    """Ticks at which the direction turns or the picture comes to rest, with EASE_S about them when eased."""

    def at(self, ticks: Ints) -> Steps:
        """The steps of any ticks; before 0 the first one is held."""
        size = len(self.steps.i)
        wrapped = self.again + (ticks - size) % (size - self.again)
        where = np.where(ticks < size, np.maximum(ticks, 0), wrapped)
        return Steps(*(column[where] for column in self.steps))


def plain(frames: Ints, again: int, turns: tuple[int, ...] = ()) -> Tape:
    """Frames without cross-fades."""
    frames = np.asarray(frames, np.int64)
    return Tape(Steps(frames, frames, np.zeros(len(frames), np.float32)), again, turns)


def there_and_back(first: int, last: int) -> Tape:
    """first, ..., last, ..., first, ... each turn shown once, without easing."""
    up = np.arange(first, last + 1)
    return plain(np.concatenate([up, up[-2:0:-1]]), 0)


def ping_pong(low: int, high: int, eased: Callable[[int], bool], fps: Fraction) -> Tape:
    """From frame 0 to `high`, then between `low` and `high`, slower about those turns that `eased` names."""
    ease = ease_dwells(fps)
    legs = [
        leg(0, high, None, ease if eased(high) else None),
        leg(high, low, ease if eased(high) else None, ease if eased(low) else None),
        leg(low, high, ease if eased(low) else None, ease if eased(high) else None),
    ]
    ends = np.cumsum([1 + len(legs[0]), len(legs[1]), len(legs[2])])
    return plain(np.concatenate([[0], *legs]), int(ends[0]), tuple(int(e) - 1 for e in ends))


def freeze(high: int, eased: bool, fps: Fraction) -> Tape:
    """From frame 0 to `high`, slower at the end, then `high` for ever."""
    frames = np.concatenate([[0], leg(0, high, None, ease_dwells(fps) if eased else None)])
    return plain(frames, len(frames) - 1, (len(frames) - 1,))


def loop(a: int, b: int, fps: Fraction) -> Tape:
    """From frame 0 to `b`, which fades into `a` while both move on, then from there again.

    Frames b + k and a + k, k = 0 .. fade - 1, are mixed, the second with a weight that rises evenly.
    """
    fade = fade_length(fps)
    k = np.arange(fade)
    lead = np.arange(b)
    i, j = np.concatenate([lead, b + k]), np.concatenate([lead, a + k])
    w = np.concatenate([np.zeros(b), (k + 1) / (fade + 1)]).astype(np.float32)
    return Tape(Steps(i, j, w), a + fade)


def fade_length(fps: Fraction) -> int:
    """Frames of a cross-fade."""
    return max(2, round_half_up(FADE_S * fps))


def leg(start: int, stop: int, ease_out: Ints | None, ease_in: Ints | None) -> Ints:
    """Frames after `start` up to and with `stop`, in either direction, repeated where an end is eased.

    `ease_out` and `ease_in`: ticks for each frame at distance 1, 2, ... from `start` and from `stop`.
    """
    frames = np.arange(start + 1, stop + 1) if stop > start else np.arange(start - 1, stop - 1, -1)
    ticks = np.ones(len(frames), np.int64)
    for dwells, about in ((ease_out, ticks), (ease_in, ticks[-2::-1])):
        if dwells is not None:
            near = dwells[: len(about)]
            about[: len(near)] = np.maximum(about[: len(near)], near)
    if ease_in is not None and len(ticks):
        ticks[-1] = _TURN_HOLD
    return np.repeat(frames, ticks)


def ease_dwells(fps: Fraction) -> Ints:
    """Ticks for each frame at distance 1, 2, ... from a turn, as the speed grows evenly from `_SLOWEST` to 1.

    At constant acceleration the speed at distance d is sqrt(slowest² + 2 · acceleration · d).
    """
    ticks = max(float(EASE_S * fps), 1.0)
    gain = (1 - _SLOWEST) / ticks
    reach = int((1 - _SLOWEST**2) / (2 * gain))
    speed = np.sqrt(_SLOWEST**2 + 2 * gain * (np.arange(reach) + 0.5))
    dwells = np.floor(1 / speed + 0.5).astype(np.int64)
    return dwells[dwells > 1]
