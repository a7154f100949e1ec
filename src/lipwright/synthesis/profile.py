"""Where the time of a synthesis goes, for `--profile`: processor time by stage, waiting by queue."""

from __future__ import annotations

from functools import partial

from lipwright.core.overlap import Around
from lipwright.core.stages import Meter


class Profile:
    """Of one iteration. The clock starts when it is made."""

    def __init__(self) -> None:
        self._meter = Meter()
        self._cpu: dict[str, float] | None = None
        self._waits: dict[str, float] = {}
        self.frames = 0

    def inside(self, stage: str) -> Around:
        """What a thread runs inside to be counted as a stage."""
        return partial(self._meter.follow, stage)

    def at(self, queue: str) -> Around:
        """What a thread runs inside while it waits for a queue."""
        return partial(self._meter.waiting, queue)

    def stop(self) -> None:
        """Nothing counts from now on."""
        self._cpu, self._waits = self._meter.cpu_s(), self._meter.waits()

    def table(self) -> dict[str, float]:
        """CPU milliseconds per frame by stage; 'libraries' is what decoder, encoder and engines did in their own
        threads."""
        found = self._meter.cpu_s() if self._cpu is None else self._cpu
        return {name: 1000 * s / max(self.frames, 1) for name, s in found.items()}

    def waits(self) -> dict[str, float]:
        """Share of the wall time that threads waited for each queue; of several threads the sum."""
        return self._meter.waits() if self._cpu is None else self._waits
