"""Which template frame carries which frame of the result, also where the result is longer than the template.

A result that fits uses the template as it is. A longer one loops with a cross-fade where two moments far apart
look and move alike, else goes back and forth (ping-pong) between calm places, slower about the turns where the head
moves; or it plays once and rests (freeze). The template's first picture is the result's first picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lipwright.compose.calm import HeadMotion
from lipwright.compose.playhead import Read, play
from lipwright.compose.seam import PictureDistance, find_seam
from lipwright.compose.tape import EASE_S, Ints, Steps, Tape, freeze, loop, ping_pong, plain, there_and_back
from lipwright.core.clock import FPS, round_half_up
from lipwright.core.contracts import FaceTrack
from lipwright.core.errors import ConfigError

P = TypeVar("P")

MODES = ("auto", "ping-pong", "loop", "freeze")
_TURN_SEARCH_S = 2
"""Seconds at each end in which a calm turning point is looked for, at most a sixth of the template."""
_TOO_SHORT_S = Fraction(1, 2)
"""Going back and forth over less would tremble: such a template plays once and rests."""
_BLOCK = 256


@dataclass(frozen=True, eq=False)
class TemplateWalk:
    """Template frames for any frame of the result, in constant time for any length."""

    tape: Tape
    """What each tick of the template's own clock shows."""
    mode: str = "forward"
    """What was chosen: forward, ping-pong, loop or freeze."""
    ratio: Fraction = Fraction(1)
    """Template frames per frame of the result."""
    offset: int = 0
    """Added to every template frame."""

    @classmethod
    def between(cls, first: int, last: int) -> TemplateWalk:
        """first, ..., last, ..., first, ... for ever, at the template's rate."""
        return cls(there_and_back(first, last))

    @classmethod
    def through(
        cls,
        track: FaceTrack,
        n_frames: int | None = None,
        fps_template: Fraction = FPS,
        fps_out: Fraction | None = None,
        mode: str = "auto",
        distance: PictureDistance | None = None,
    ) -> TemplateWalk:
        """The walk of a result of `n_frames`, None for a result without end.

        Frame t of the result shows the latest template frame that begins before t/fps_out + 1/(2·fps_out).

        Args:
            track: of the whole template.
            fps_template, fps_out: exact rates; without `fps_out` both are the same.
            mode: how a template that is too short goes on: 'ping-pong', 'loop' or 'freeze'; 'auto' loops where the
                cross-fade moves the upper face no further than the template itself does between neighbouring
                frames (one in ten moves more) and by less than a hundredth of its width, and where pictures differ
                less than twice as much as neighbours do; else ping-pong.
            distance: compares whole pictures for 'loop' (`thumbnails.thumbnail_distance`); without it the face alone
                decides.
        Raises:
            ConfigError: unknown mode.
        """
        if mode not in MODES:
            raise ConfigError(f"unknown template extension '{mode}'; choose one of {', '.join(MODES)}")
        ratio = fps_template / (fps_out or fps_template)
        forward = cls(there_and_back(0, max(len(track) - 1, 0)), "forward", ratio)
        last = None if n_frames is None else int(forward.ticks(max(n_frames, 1) - 1))
        if len(track) < 3 or (last is not None and last < len(track)):
            return forward
        tape, chosen = _extend(HeadMotion.of(track, fps_template), last, mode, distance)
        return cls(tape, chosen, ratio)

    def shifted(self, by: int) -> TemplateWalk:
        """The same walk in a video in which the template begins at frame `by`."""
        return replace(self, offset=self.offset + by)

    def ticks(self, t: NDArray[np.integer[Any]] | int) -> Ints:
        """Ticks of the template's clock at result frames: ceil((t + 1/2) · ratio) - 1, exactly."""
        twice = (2 * np.asarray(t, np.int64) + 1) * self.ratio.numerator
        return -(-twice // (2 * self.ratio.denominator)) - 1

    def steps(self, start: int, stop: int) -> Steps:
        """What result frames [start, stop) show; frames before 0 hold the first."""
        i, j, w = self.tape.at(self.ticks(np.arange(start, stop)))
        return Steps(i + self.offset, j + self.offset, w)

    def index(self, t: int) -> int:
        """Template frame of result frame t; the one that weighs more in a cross-fade."""
        return int(self.indices(t, t + 1)[0])

    def indices(self, start: int, stop: int) -> Ints:
        """Template frames of result frames [start, stop)."""
        i, j, w = self.steps(start, stop)
        return np.where(w > 0.5, j, i)

    def mixed(self, values: NDArray[np.floating[Any]], start: int, stop: int) -> NDArray[np.floating[Any]]:
        """(stop - start, ...) of (T, ...) values per template frame, mixed where pictures are (landmarks, pose ...)."""
        i, j, w = self.steps(start, stop)
        weight = w.reshape(-1, *[1] * (values.ndim - 1)).astype(values.dtype)
        return np.where(weight > 0, (1 - weight) * values[i] + weight * values[j], values[i])

    def frames(
        self, read: Read[P], backward: Read[P], n: int | None, blend: Callable[[P, P, float], P], start: int = 0
    ) -> Iterator[P]:
        """The pictures of result frames [start, n), decoded in order; for ever when n is None.

        Memory: one keyframe group, two during a cross-fade. Pictures may be the same object several times.

        Args:
            read, backward: (first, count) -> pictures upwards or downwards, count None for all there are, such as
                `FrameStore.read` and `FrameStore.backward`.
            blend: (a, b, w) -> (1 - w) · a + w · b, such as `Picture.mixed`.
        """
        return play(self._blocks(start, n), read, backward, blend)

    def _blocks(self, start: int, n: int | None) -> Iterator[Steps]:
        while n is None or start < n:
            stop = start + _BLOCK if n is None else min(start + _BLOCK, n)
            yield self.steps(start, stop)
            start = stop


def _extend(motion: HeadMotion, last: int | None, mode: str, distance: PictureDistance | None) -> tuple[Tape, str]:
    """A tape for results up to tick `last`, which lies beyond the template, and its mode."""
    low, high = motion.region()
    if mode in ("auto", "loop"):
        seam = find_seam(motion, low, high, distance, insist=mode == "loop")
        if seam is not None and (mode == "loop" or not seam.seen):
            return loop(seam.a, seam.b, motion.fps), "loop"
    reach = min(int(_TURN_SEARCH_S * motion.fps), (high - low) // 6)
    highs = _calmest(motion, high - reach, high)
    if mode == "freeze" or (mode == "auto" and high - low < _TOO_SHORT_S * motion.fps):
        return freeze(highs[0], motion.turn_shows(highs[0]), motion.fps), "freeze"
    low = _calmest(motion, low, low + reach)[0]
    if low >= highs[0]:
        return plain(np.arange(len(motion)), len(motion) - 1), "freeze"
    tapes = [ping_pong(low, h, motion.turn_shows, motion.fps) for h in highs if h > low]
    if last is None:
        return tapes[0], "ping-pong"
    return min(tapes, key=lambda tape: _unrest_at_end(tape, motion, last)), "ping-pong"


def _calmest(motion: HeadMotion, first: int, last: int) -> list[int]:
    """Frames of [first, last] to turn at: the calmest, then others about as calm; `last` when none is usable."""
    speed = motion.speed[first : last + 1]
    if not np.isfinite(speed).any():
        return [last]
    calm = np.argsort(speed, kind="stable")
    limit = max(2 * float(speed[calm[0]]), 0.25 * float(np.median(speed[np.isfinite(speed)])))
    return [first + int(k) for k in calm if speed[k] <= limit]


def _unrest_at_end(tape: Tape, motion: HeadMotion, last: int) -> float:
    """How restless a result's last picture is: the head's speed, and more when it ends about a turn."""
    size = len(tape.steps.i)
    where = last if last < size else tape.again + (last - size) % (size - tape.again)
    ease = round_half_up(EASE_S * motion.fps)
    turning = any(abs(where - turn) < ease for turn in tape.turns) or where - tape.again < ease
    speed = float(motion.speed[tape.steps.i[where]])
    return speed + (motion.face_width if turning else 0.0)
