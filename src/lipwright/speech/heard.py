"""Phones heard without a transcript, as segments for gestures."""

from __future__ import annotations

from itertools import groupby

from lipwright.speech.channels import label
from lipwright.speech.gestures import Segment
from lipwright.speech.phones import PhoneLoop
from lipwright.speech.source import SampleSource

STEP_S = 0.01
_STEP = 160


class Hearing:
    """The recogniser, loaded at first use."""

    def __init__(self) -> None:
        self._loop: PhoneLoop | None = None

    def segments(self, source: SampleSource, first: int, count: int) -> list[Segment]:
        """What is said in the `count` steps of 10 ms from step `first`; it depends on these samples alone."""
        samples = source(first * _STEP, (first + count) * _STEP)
        if not samples.any():
            return []
        if self._loop is None:
            self._loop = PhoneLoop()
        found, at = [], first
        for name, steps in groupby(self._loop.labels(samples)):
            length = len(list(steps))
            if name.isalpha():  # the noise models have signs in their names
                found.append(Segment(at * STEP_S, (at + length) * STEP_S, ((label(name), 1.0),)))
            at += length
        return [s for s in found if s.shape is not None]
