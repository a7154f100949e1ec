"""The rule by which pictures are repeated to fill a higher rate, and whether differences between frames follow one.

A conversion without motion compensation shows material picture floor(i r / f + phase) in frame i, where r is the
material's rate and f the file's: 25 in 30 repeats every sixth frame, 24 in 30 every fifth, 30 in 60 every second.
The phase changes where such a file was edited.

Convention: difference d[i] is between pictures i - 1 and i, in levels of 255; a repeat has d near zero beside the
differences around it (not zero: it was encoded again).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import round_half_up
from lipwright.core.contracts import F32

_NTSC = Fraction(1000, 1001)
RATES = (*(n * k for n in (Fraction(24), Fraction(30), Fraction(48)) for k in (1, _NTSC)), Fraction(25), Fraction(50))
"""Material rates looked for. Below 24 (webcams at 15 in 30) nothing is changed: such footage is kept as it is."""
_HIGHEST = Fraction(9, 10)
"""Of the file's rate: above this (24 in 25) repeats are too rare to be told from still moments, and harm little."""
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
        all among frames with motion around them; (0, 0, 0) when nothing moves.
    """
    typical = _typical(differences, repeats)
    with np.errstate(invalid="ignore"):
        moving = np.isfinite(differences) & (typical > _STILL)
        low = differences < _REPEAT * typical
    n_repeats, n_others = int((moving & repeats).sum()), int((moving & ~repeats).sum())
    if not n_repeats or not n_others:
        return 0.0, 0.0, 0
    return float(low[moving & repeats].mean()), float(1 - low[moving & ~repeats].mean()), n_repeats


def is_sure(low: float, high: float, n: int) -> bool:
    """Whether an `agreement` is good enough to be believed."""
    return n > 0 and low >= _LOW and high >= _HIGH


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
        low = sum(fit[0] * fit[2] for fit in fits) / max(n, 1)
        high = sum(fit[1] * fit[2] for fit in fits) / max(n, 1)
        if n >= _NEEDED and is_sure(low, high, n):
            # A cadence with more repeats explains more: 25 in 50 also agrees with the repeats of 30 in 50.
            phase = max(fits, key=lambda fit: (fit[0] + fit[1]) * fit[2])[3]
            found.append((n * (low + high - 1), Cadence(file_rate, candidate.rate, phase)))
    return max(found, key=lambda f: f[0])[1] if found else None
