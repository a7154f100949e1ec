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
        samples = source(first * HOP, (first + count) * HOP)
        if not samples.any():
            return []
        if self._loop is None:
            self._loop = PhoneLoop()
        found, at = [], first
        for name, steps in groupby(self._loop.labels(samples)):
            length = len(list(steps))
            if name.isalpha() and label(name) != SILENCE:  # the noise models have signs in their names
                found.append(Segment(at * STEP_S, (at + length) * STEP_S, ((label(name), 1.0),)))
            at += length
        return found


class Probable:
    """Our own recogniser of any language: stretches along the best path, each with the probabilities in it."""

    def __init__(self, recogniser: Recogniser | None = None) -> None:
        self._recogniser = recogniser or Recogniser()

    def segments(self, source: SampleSource, first: int, count: int) -> list[Segment]:
        """Segments whose shares add up to at most 1."""
        posteriors = self._recogniser.posteriors(source, first, count)
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
    return Probable() if WEIGHTS.is_file() else Certain()
