"""Lips that close on /p b m/, nearly close on /f v/, and never cross: what averaging regressions cannot learn.

A regression that is unsure of a phone predicts half a closure, and half a closure looks like none. So the phones
decide, and the person's own footage says how: how near closed lips come, along which direction of all mouth and
jaw points the lips part, how far the lips stay open on /f v/, and how often a recognised bilabial really closes.

With g_i the gap of inner-lip pair i, and c in [0, 1] how bilabial a frame sounds, the excess over the closed gap
shrinks, and lips that would cross touch:

    g_i' = clip(g_i, 0, closed_i) + (1 - c)·max(g_i - closed_i, 0)

Points move along the person's opening direction by the mean change; what is left of each pair is moved on the
two inner lips alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.ease import smoothstep
from lipwright.core.ibug import INNER_BOTTOM, INNER_TOP, MOUTH
from lipwright.motion.filters import low_pass
from lipwright.motion.geometry import rotate
from lipwright.speech.phones import CLASSES

F64 = NDArray[np.float64]
TOP, BOTTOM = [MOUTH.index(i) for i in INNER_TOP], [MOUTH.index(i) for i in INNER_BOTTOM]
"""Inner lips among the 20 mouth points, pair by pair."""
_BILABIAL, _LABIODENTAL = list(CLASSES).index("bilabial"), list(CLASSES).index("labiodental")
_BEGINS, _FULL = 0.05, 0.55
"""Share of a bilabial around a frame (110 ms, raised cosine) at which lips begin to close and are closed: one or
two closed frames, two of approach and two of release."""
_CLOSED_PERCENTILE, _NEAR_PERCENTILE = 5, 30
_PRIOR, _PRIOR_COUNT = 0.7, 8
"""How often recognised bilabials close, and the number of observations that this assumption is worth."""
_DOUBTED, _TRUSTED = 0.35, 0.6
"""Share of recognised bilabials that really close at which their closing is not, and fully, believed."""
_FAST_FRAMES = 12.5


@dataclass(frozen=True)
class Contact:
    """How near one person's lips come, for k gaps; in the unit of the gaps."""

    closed: NDArray[np.floating]
    """(k,) when closed."""
    near: NDArray[np.floating]
    """(k,) on /f v/."""
    trust: float
    """How much of a closure a recognised bilabial brings; exact phones bring all of it."""

    def change(self, gaps: F64, phones: F32, exact: F32) -> F64:
        """(T, k) to be added to gaps (T, k), so that lips close where the phones say so, and never cross.

        Args: `phones` (T, 20) rows of the feature 'phones'; `exact` (T,) 1 where they are known, not recognised.
        """
        trust = exact + (1 - exact) * self.trust
        excess = np.maximum(gaps - self.closed, 0)
        near = (ramp(phones[:, _LABIODENTAL]) * trust)[:, None]
        excess = excess - near * np.maximum(excess - (self.near - self.closed), 0)
        excess = excess * (1 - ramp(phones[:, _BILABIAL]) * trust)[:, None]
        return np.asarray(np.clip(gaps, 0, self.closed) + excess - gaps, np.float64)


@dataclass(frozen=True)
class Lips:
    """How one person's lips meet."""

    closed: F32
    """(3,) vertical gaps of the inner-lip pairs when closed, normalised units."""
    near: F32
    """(3,) the same on /f v/."""
    opening: F32
    """(29, 2) how all points move per unit of mean gap, head upright."""
    trust: float
    """How much of a closure a recognised bilabial brings; exact phones bring all of it."""

    def __call__(self, landmarks: F32, roll: F32, phones: F32, exact: F32) -> F32:
        """(T, 29, 2) with lips closed where the phones say so.

        Args:
            landmarks: (T, 29, 2); roll: (T,) of the head in radians.
            phones: (T, 20) rows of the feature 'phones'; exact: (T,) 1 where they are known, not recognised.
        """
        upright = rotate(landmarks, -roll)
        change = Contact(self.closed, self.near, self.trust).change(gaps_of(upright), phones, exact)
        mean = change.mean(axis=1)
        upright = upright + mean[:, None, None] * self.opening
        rest = (change - mean[:, None] * _gap_vector(self.opening)) / 2
        upright[:, BOTTOM, 1] += rest
        upright[:, TOP, 1] -= rest
        return rotate(upright.astype(np.float32), roll)


def ramp(share: F32) -> F32:
    """How bilabial (or labiodental) frames are: share of the phone to [0, 1], smooth."""
    return smoothstep((share - _BEGINS) / (_FULL - _BEGINS)).astype(np.float32)


def gaps_of(upright: F32) -> F64:
    """(T, 29, 2) with upright head to (T, 3) vertical inner-lip gaps; negative when the lips cross."""
    return (upright[:, BOTTOM, 1] - upright[:, TOP, 1]).astype(np.float64)


def fit_lips(landmarks: Sequence[F32], roll: Sequence[F32], seen: Sequence[F32], phones: Sequence[F32]) -> Lips:
    """Measure on training stretches: (T, 29, 2), (T,), (T,) weight, (T, 20) of each."""
    upright = [rotate(p, -r) for p, r in zip(landmarks, roll, strict=True)]
    gaps = [gaps_of(u) for u in upright]
    shown = np.concatenate(list(seen)) > 0
    contact = contact_of(gaps, shown, phones)
    opening = opening_of(upright, gaps, shown)
    return Lips(
        contact.closed.astype(np.float32), contact.near.astype(np.float32), opening.reshape(-1, 2).astype(np.float32),
        contact.trust,
    )  # fmt: skip


def contact_of(gaps: Sequence[F64], shown: NDArray[np.bool_], phones: Sequence[F32]) -> Contact:
    """How lips meet, from stretches: (T, k) gaps and (T, 20) phones of each; `shown` of all their frames."""
    every = np.concatenate(list(gaps))[shown]
    order = np.argsort(every.mean(axis=1), kind="stable")
    closed = _around(every[order], _CLOSED_PERCENTILE)
    limit = _around(every[order], _NEAR_PERCENTILE)
    level = float(np.percentile(every.mean(axis=1), 2) + 0.1 * np.ptp(np.percentile(every.mean(axis=1), [2, 98])))
    bilabial = _lowest(gaps, phones, _BILABIAL, 1)
    hits = sum(float(g.mean() < level) for g in bilabial)
    share = (hits + _PRIOR * _PRIOR_COUNT) / (len(bilabial) + _PRIOR_COUNT)
    labiodental = _lowest(gaps, phones, _LABIODENTAL, 0)
    near = np.median(labiodental, axis=0) if len(labiodental) >= 5 else limit
    near = np.clip(near, closed, np.maximum(limit, closed))
    return Contact(closed, near, float(np.clip((share - _DOUBTED) / (_TRUSTED - _DOUBTED), 0, 1)))


def _around(ordered: F64, percentile: float) -> F64:
    """(3,) mean gaps of frames around a percentile of the ordered ones, not below contact."""
    middle, half = len(ordered) * percentile / 100, max(len(ordered) * 0.02, 1)
    part = ordered[max(int(middle - half), 0) : int(middle + half) + 1]
    return np.maximum(part.mean(axis=0), 0)


def _lowest(gaps: Sequence[F64], phones: Sequence[F32], column: int, around: int) -> list[F64]:
    """(3,) gaps of the most closed frame within ±around of each peak of a class of phones."""
    found = []
    for g, rows in zip(gaps, phones, strict=True):
        share = rows[:, column]
        for t in range(2, len(g) - 2):
            if share[t] >= 0.3 and share[t] == share[t - 2 : t + 3].max():
                near = g[t - around : t + around + 1]
                found.append(near[near.mean(axis=1).argmin()])
    return found


def opening_of(shapes: Sequence[F32], gaps: Sequence[F64], shown: NDArray[np.bool_]) -> F64:
    """(D,) regression of all numbers of shapes (T, ...) on the mean gap, both without what is slower than a second."""
    points = [u.reshape(len(u), -1) for u in shapes]
    fast = np.concatenate([p - low_pass(p, _FAST_FRAMES) for p in points])[shown].astype(np.float64)
    means = [g.mean(axis=1)[:, None].astype(np.float32) for g in gaps]
    drive = np.concatenate([m - low_pass(m, _FAST_FRAMES) for m in means])[shown, 0].astype(np.float64)
    return np.asarray(drive @ fast / max(float(drive @ drive), 1e-12), np.float64)


def _gap_vector(opening: F32) -> F64:
    """(3,) change of the gaps per unit along the opening direction."""
    return gaps_of(opening[None])[0]


def lips_arrays(lips: Lips) -> dict[str, F32]:
    """All arrays by name, for a checkpoint."""
    return {f"lips.{f.name}": np.asarray(getattr(lips, f.name), np.float32) for f in fields(lips)}


def lips_from(read: Callable[[str], F32]) -> Lips:
    """The inverse; `read` gives an array by name and raises KeyError for an unknown one."""
    return Lips(read("lips.closed"), read("lips.near"), read("lips.opening"), float(read("lips.trust").item()))
