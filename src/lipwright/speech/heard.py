"""What is said where nobody tells: segments for gestures from a recogniser, with the probabilities of their phones."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import Protocol

import numpy as np

from lipwright.core.contracts import F32
from lipwright.speech.articulation import PHONES, STEP_S, WEIGHTS, Recogniser
from lipwright.speech.channels import SILENCE, label
from lipwright.speech.gestures import Segment
from lipwright.speech.mel import HOP
from lipwright.speech.phones import PhoneLoop
from lipwright.speech.phones_heard import best_path
from lipwright.speech.source import SampleSource

_LEAST = 0.05
"""Probability below which a phone is not worth a gesture."""
_OWN_SHARE = 0.7
"""Of the recogniser in the mean with the phone loop."""


class Hearing(Protocol):
    """A recogniser of phones in any stretch of speech."""

    def segments(self, source: SampleSource, first: int, count: int) -> list[Segment]:
        """What is said in the `count` steps of 10 ms from step `first`; silence is left out."""


class Certain:
    """pocketsphinx' phone loop, an English model: one phone at a time. It hears these samples and no others."""

    def __init__(self) -> None:
        self._loop: PhoneLoop | None = None

    def segments(self, source: SampleSource, first: int, count: int) -> list[Segment]:
        """Segments of one phone each."""
        found, at = [], first
        for name, steps in groupby(self._labels(source, first, count)):
            length = len(list(steps))
            if name != SILENCE:
                found.append(Segment(at * STEP_S, (at + length) * STEP_S, ((name, 1.0),)))
            at += length
        return found

    def posteriors(self, source: SampleSource, first: int, count: int) -> F32:
        """(count, 40) in the order of `PHONES`: 1 for the phone that is heard in each step."""
        columns = [PHONES.index(name) if name in PHONES else 0 for name in self._labels(source, first, count)]
        return np.eye(len(PHONES), dtype=np.float32)[columns]

    def _labels(self, source: SampleSource, first: int, count: int) -> list[str]:
        samples = source(first * HOP, (first + count) * HOP)
        if not samples.any():
            return [SILENCE] * count
        if self._loop is None:
            self._loop = PhoneLoop()
        # The noise models have signs in their names.
        return [label(name) if name.isalpha() else SILENCE for name in self._loop.labels(samples)]


class Probable:
    """Our own recogniser of any language, and the phone loop beside it: the best path through both.

    The recogniser learnt from synthetic voices of many languages, the phone loop from people who spoke English. On
    recordings of people their mean errs less than either alone, English or not (`benchmarks/articulation.py`).

    Args:
        recogniser: the shipped one when None.
        loop: the phone loop; None leaves it out.
    """

    def __init__(self, recogniser: Recogniser | None = None, loop: Certain | None = None) -> None:
        self._recogniser, self._loop = recogniser or Recogniser(), loop

    def posteriors(self, source: SampleSource, first: int, count: int) -> F32:
        """(count, 40) in the order of `PHONES`."""
        own = self._recogniser.posteriors(source, first, count)
        if self._loop is None:
            return own
        return _OWN_SHARE * own + (1 - _OWN_SHARE) * self._loop.posteriors(source, first, count)

    def segments(self, source: SampleSource, first: int, count: int) -> list[Segment]:
        """Segments whose shares add up to at most 1, each with the probabilities in it."""
        posteriors = self.posteriors(source, first, count)
        path = best_path(posteriors)
        edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
        found = []
        for a, b in pairwise(edges):
            if path[a] != 0:
                mean = posteriors[a:b].mean(axis=0)
                shares = tuple((PHONES[c], float(mean[c])) for c in _order(mean, int(path[a])) if mean[c] >= _LEAST)
                found.append(Segment((first + a) * STEP_S, (first + b) * STEP_S, shares or ((PHONES[path[a]], 1.0),)))
        return found


def _order(mean: F32, best: int) -> list[int]:
    """Columns by probability, silence left out, the phone of the path first."""
    ranked = [int(c) for c in np.argsort(-mean, kind="stable") if c not in (0, best)]
    return [best, *ranked]


def hearing() -> Hearing:
    """The recogniser for speech of unknown language."""
    return Probable(loop=Certain()) if WEIGHTS.is_file() else Certain()
