"""Timing a piece of work: rate with quartiles, processor time and peak memory.

Every figure is the median of `repeats` runs after one warm-up run (none for a single run), with the
quartiles; memory is the peak of the whole process during the measured runs. The machine should be otherwise
idle; processor time per frame hardly moves when it is not.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lipwright.core.peak import peak_mb, reset_peak


@dataclass(frozen=True)
class Measure:
    """One measured step."""

    step: str
    fps: float
    """Frames per second, median."""
    fps_low: float
    """Lower quartile."""
    fps_high: float
    """Upper quartile."""
    peak_mb: float | None
    """Peak resident memory of the process, None where the system does not tell."""
    cpu_ms: float
    """Processor time per frame over all threads, median: hardly moves when the machine is busy."""
    ratio: float | None = None
    """Rate over that of the benchmark's first step, its baseline on the same machine in the same run."""
    cpu_ratio: float | None = None
    """Processor time of the first step over this one's: the same comparison on a busy machine."""
    gmacs: float | None = None
    """Billions of multiply-accumulates a frame, for networks."""
    mparams: float | None = None
    """Millions of parameters, for networks."""
    gpu_mb: float | None = None
    """Peak GPU memory, on a GPU."""
    stages: dict[str, float] | None = None
    """CPU milliseconds per frame by stage, of the last run."""


@dataclass(frozen=True)
class Job:
    """What a benchmark is asked to do."""

    folder: Path
    """For files; vanishes afterwards."""
    persona: str
    seconds: float
    repeats: int
    renderer: str | None
    size: tuple[int, int] | None = None
    preset: str | None = None
    """Of `render`; None for all."""
    device: str = "cpu"
    """Of `render`."""


def measure(step: str, work: Callable[[], int], repeats: int) -> Measure:
    """Time `work`, which returns the number of frames it handled; a single run is not warmed up."""
    if repeats > 1:
        work()
    reset_peak()
    rates, spent = [], []
    for _ in range(repeats):
        began, busy = time.perf_counter(), time.process_time()
        frames = work()
        rates.append(frames / (time.perf_counter() - began))
        spent.append(1000 * (time.process_time() - busy) / frames)
    low, middle, high = statistics.quantiles(rates, n=4, method="inclusive") if repeats > 1 else rates * 3
    return Measure(step, middle, low, high, peak_mb(), round(statistics.median(spent), 2))
