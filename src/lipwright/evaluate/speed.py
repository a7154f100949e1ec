"""How fast a persona spoke, as rows: measured while a protocol lets it speak, on the machine named beside it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lipwright.core.peak import peak_mb, reset_peak
from lipwright.evaluate.result import Row

_CODECS = ("decode", "encode", "libraries")
"""Stages of decoding and encoding; all others are ours."""


@dataclass
class Stopwatch:
    """A `Progress` that notes when each frame was done."""

    began_s: float = 0.0
    done_s: list[float] = field(default_factory=list)
    """Seconds after the beginning."""

    def start(self, task: str, total: float | None) -> None:
        """Speaking begins."""
        reset_peak()
        self.began_s, self.done_s = time.perf_counter(), []

    def update(self, done: float, note: str = "") -> None:
        """One more frame has left for the encoder."""
        self.done_s.append(time.perf_counter() - self.began_s)

    def finish(self) -> None:
        """Nothing: the caller knows when the file is whole."""

    def rows(self, total_s: float, profile_ms: Mapping[str, float]) -> list[Row]:
        """Rows `speed.*`; none for fewer than two frames.

        Args:
            total_s: from the first feature to the whole file.
            profile_ms: CPU milliseconds per frame by stage.
        """
        if len(self.done_s) < 2:
            return []
        waits = 1000 * np.diff(self.done_s)
        work = sum(ms for stage, ms in profile_ms.items() if stage not in _CODECS)
        middle, most, nearly_all = np.percentile(waits, [50, 95, 99])
        shown: Sequence[tuple[str, str, str, str, float | None]] = (
            ("fps", "speed, speech to file", "frames/s", "higher", len(self.done_s) / total_s),
            (
                "fps_no_io",
                "speed of one core, without decoding and encoding",
                "frames/s",
                "higher",
                1000 / work if work else None,
            ),
            ("first_frame", "time to the first frame", "s", "lower", self.done_s[0]),
            ("latency_p50", "time from frame to frame, median", "ms", "lower", float(middle)),
            ("latency_p95", "time from frame to frame, 95 %", "ms", "lower", float(most)),
            ("latency_p99", "time from frame to frame, 99 %", "ms", "lower", float(nearly_all)),
            ("peak_mb", "peak memory of the process while speaking", "MB", "lower", peak_mb()),
        )
        return [Row(f"speed.{key}", label, unit, better, value) for key, label, unit, better, value in shown]


def machine_facts() -> dict[str, Any]:
    """What the speed was measured on."""
    load = f", load {os.getloadavg()[0]:.0f}" if hasattr(os, "getloadavg") else ""
    return {"speed_measured_on": f"{os.cpu_count()} cores of {platform.machine()}{load}"}
