"""Where processor time goes: CPU seconds of named stages over all threads, and the time spent waiting for queues."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_here = threading.local()


class Meter:
    """Counts for the threads that `follow` it. A stage inside another counts as itself alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cpu: dict[str, float] = {}
        self._waits: dict[str, float] = {}
        self._began = time.perf_counter(), time.process_time()

    @contextmanager
    def follow(self, name: str) -> Iterator[None]:
        """Count what this thread does inside as stage `name`, unless a `stage` within says otherwise."""
        before = getattr(_here, "at", None)
        _here.at = _At(self, name)
        try:
            yield
        finally:
            _here.at.turn(name)
            _here.at = before

    @contextmanager
    def waiting(self, queue: str) -> Iterator[None]:
        """Count the time inside as spent waiting for `queue`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._waits[queue] = self._waits.get(queue, 0.0) + time.perf_counter() - began

    def add(self, name: str, seconds: float) -> None:
        """Count CPU seconds of a stage."""
        with self._lock:
            self._cpu[name] = self._cpu.get(name, 0.0) + seconds

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds of each stage so far; 'libraries' is what the process used in no thread of ours."""
        with self._lock:
            found = dict(self._cpu)
        rest = time.process_time() - self._began[1] - sum(found.values())
        return {**found, "libraries": max(rest, 0.0)}

    def waits(self) -> dict[str, float]:
        """Share of the time since the meter was made that was spent waiting for each queue."""
        wall = max(time.perf_counter() - self._began[0], 1e-9)
        with self._lock:
            return {name: seconds / wall for name, seconds in self._waits.items()}


class _At:
    """The stage a thread is in."""

    def __init__(self, meter: Meter, name: str) -> None:
        self._meter, self.name, self._since = meter, name, time.thread_time()

    def turn(self, name: str) -> None:
        """Count what was done since the last turn; another stage begins."""
        now = time.thread_time()
        self._meter.add(self.name, now - self._since)
        self.name, self._since = name, now


@contextmanager
def stage(name: str) -> Iterator[None]:
    """What this thread does inside is stage `name`, where a meter is followed."""
    at: _At | None = getattr(_here, "at", None)
    if at is None:
        yield
        return
    outer = at.name
    at.turn(name)
    try:
        yield
    finally:
        at.turn(outer)


def staged(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A function that is stage `name`."""

    def around(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def counted(*args: P.args, **kwargs: P.kwargs) -> R:
            with stage(name):
                return function(*args, **kwargs)

        return counted

    return around
