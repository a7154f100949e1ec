"""How fast a renderer's training goes, and what it waits for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lipwright.core.prefetch import Prefetch


class Pace:
    """Counts steps and their time.

    Args: `samples` prepared ahead, `batch` of them in a step.
    """

    def __init__(self, samples: Prefetch[Any], batch: int) -> None:
        self._samples, self._batch = samples, batch
        self._steps, self._spent_s = 0, 0.0

    @contextmanager
    def step(self) -> Iterator[None]:
        """Around one step."""
        began = time.perf_counter()
        yield
        self._steps, self._spent_s = self._steps + 1, self._spent_s + time.perf_counter() - began

    def speed(self) -> dict[str, float]:
        """Milliseconds a step and of it waiting for samples; samples a second that the loader could give."""
        return {
            "step_ms": 1000 * self._spent_s / max(self._steps, 1),
            "wait_ms": 1000 * self._samples.wait_s,
            "loader_fps": self._batch * self._samples.rate,
        }
