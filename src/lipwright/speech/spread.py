"""A text laid over speech without recognising anything: by letters, so that pauses fall between sentences.

Sounding stretches are joined to one line without pauses, and letters take equal shares of it. Borders of sentences,
clauses and lines then move to pauses: the path through all borders costs how far the pace between two of them
differs from the average, less what a pause of that length is worth there (Viterbi).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lipwright.speech.words import Token, Word, letters_of, width

_REACH_S = 8.0
"""Sounding seconds from the average place in which a border looks for its pause."""
_MOST = 12
_WORTH = (0.0, 1.0, 3.0, 4.0)
"""Worth of a pause of a second after a clause, sentence, paragraph; shorter ones count in proportion."""
_SPREAD, _FLOOR = 0.15, 0.05
"""Variance, in square seconds, of a stretch that should last a second, and of any stretch."""


def spread(pieces: Sequence[Token], stretches: Sequence[tuple[float, float]]) -> tuple[Word, ...]:
    """A word for each token that has letters.

    Args:
        pieces: tokens of the text.
        stretches: (start_s, end_s) where somebody speaks, in order; at least one.
    """
    spoken = [t for t in pieces if any(c.isalnum() for c in t.text)]
    edges = np.array(stretches, np.float64)
    ends = np.cumsum(edges[:, 1] - edges[:, 0])
    weight = np.cumsum([0.0, *(width(t.text) for t in spoken)])
    even = weight / weight[-1] * ends[-1]
    # Each token's place on the line without pauses, bent so that the borders lie where the path puts them.
    borders = _borders(spoken, even, edges, ends)
    knots = np.array([(0.0, 0.0), *((even[k + 1], place) for k, place in borders), (even[-1], ends[-1])])
    places = np.interp(even, knots[:, 0], knots[:, 1])
    starts, stops = _clock(places[:-1], edges, ends, "right"), _clock(places[1:], edges, ends, "left")
    letters = letters_of(spoken)
    return tuple(
        Word(a, b, float(start), float(max(start, stop)))
        for (a, b), start, stop in zip(letters, starts, stops, strict=True)
    )


def _clock(
    places: NDArray[np.float64], edges: NDArray[np.float64], ends: NDArray[np.float64], side: str
) -> NDArray[np.float64]:
    """Seconds of places on the line without pauses; a place at a pause is its end ('right') or start ('left')."""
    near = 1e-9 if side == "right" else -1e-9
    k = np.minimum(np.searchsorted(ends, places + near, side="left"), len(ends) - 1)
    return np.asarray(edges[k, 1] - (ends[k] - places), np.float64)


def _borders(
    spoken: Sequence[Token], even: NDArray[np.float64], edges: NDArray[np.float64], ends: NDArray[np.float64]
) -> list[tuple[int, float]]:
    """(token that ends there, place) of the borders that were found at pauses."""
    pauses = np.minimum(edges[1:, 0] - edges[:-1, 1], 1.0)
    states: list[tuple[int, list[tuple[float, float]]]] = [(-1, [(0.0, 0.0)])]
    for k, token in enumerate(spoken[:-1]):
        if token.rest == 0:
            continue
        apart = np.abs(ends[:-1] - even[k + 1])
        near = np.flatnonzero(apart <= _REACH_S)
        near = near[np.argsort(apart[near], kind="stable")[:_MOST]]
        found = [(float(ends[p]), _WORTH[token.rest] * float(pauses[p])) for p in sorted(near)]
        states.append((k, [*found, (float(even[k + 1]), -0.5)]))  # the last: no pause
    states.append((len(spoken) - 1, [(float(ends[-1]), 0.0)]))
    return _path(states, even)


def _path(states: list[tuple[int, list[tuple[float, float]]]], even: NDArray[np.float64]) -> list[tuple[int, float]]:
    """The cheapest choice of one place for each border."""
    costs, backs = [0.0], []
    for (j, before), (k, now) in pairwise(states):
        expected = float(even[k + 1] - even[j + 1])
        starts = np.array([place for place, _ in before])
        into, back = [], []
        for place, worth in now:
            lasts = place - starts
            pace = (lasts - expected) ** 2 / (2 * (_SPREAD * expected + _FLOOR))
            total = np.where(lasts > 0.2 * expected, costs + pace, np.inf) - worth
            if not np.isfinite(total).any():
                total = np.asarray(costs) + 1e6 + pace
            back.append(int(np.argmin(total)))
            into.append(float(total[back[-1]]))
        costs = into
        backs.append(back)
    at, chosen = 0, []
    for (k, now), back in zip(states[:0:-1], backs[::-1], strict=True):
        chosen.append((k, now[at][0]))
        at = back[at]
    ordered = chosen[::-1][:-1]
    kept: list[tuple[int, float]] = []
    for k, place in ordered:
        if not kept or place > kept[-1][1]:
            kept.append((k, place))
    return kept
