"""Numbered items made in background threads a little ahead of their use; the same item whoever makes it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefetch(Generic[T]):
    """Items 0, 1, 2 ..., each made by `make(index)` alone.

    Args:
        make: from a number to its item; called from other threads, so it must not change shared state.
        workers: threads; at most one item more than that is ahead.
    What is made in vain (the reader jumps, a run ends) is dropped.
    """

    def __init__(self, make: Callable[[int], T], workers: int = 1) -> None:
        self._make, self._ahead = make, workers + 1
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="prefetch")
        self._coming: dict[int, Future[tuple[T, float]]] = {}
        self._workers, self._made = workers, 0
        self._making_s = self._waited_s = 0.0

    def __getitem__(self, index: int) -> T:
        """Item `index`; those after it begin to be made."""
        wanted = range(index, index + 1 + self._ahead)
        for stale in set(self._coming) - set(wanted):
            self._coming.pop(stale).cancel()
        for later in wanted:
            if later not in self._coming:
                self._coming[later] = self._pool.submit(self._timed, later)
        began = time.perf_counter()
        item, took = self._coming.pop(index).result()
        self._waited_s += time.perf_counter() - began
        self._making_s += took
        self._made += 1
        return item

    def _timed(self, index: int) -> tuple[T, float]:
        began = time.perf_counter()
        return self._make(index), time.perf_counter() - began

    @property
    def rate(self) -> float:
        """Items per second that all threads together can make; 0 before the first."""
        return self._workers * self._made / self._making_s if self._making_s else 0.0

    @property
    def wait_s(self) -> float:
        """Mean seconds that a reader waited for an item."""
        return self._waited_s / max(self._made, 1)
