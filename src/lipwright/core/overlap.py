"""Stages that run at the same time: read ahead in one thread, write behind in another.

Worth it because the stages spend their time in native code that releases the interpreter. Queues are
short, so memory does not depend on length; errors of a stage surface in the caller.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

DEPTH = 12
"""Items in flight between two stages."""


def ahead(items: Iterator[T], depth: int = DEPTH) -> Iterator[T]:
    """Run an iterator in its own thread, at most `depth` items ahead; its errors surface here."""
    box: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(depth)
    stop = threading.Event()

    def work() -> None:
        try:
            for item in items:
                while not stop.is_set():
                    try:
                        box.put((item, None), timeout=0.1)
                        break
                    except queue.Full:
                        continue
                if stop.is_set():
                    return
            _put(box, stop, (None, StopIteration()))
        except BaseException as error:
            _put(box, stop, (None, error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, error = box.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()


def _put(box: queue.Queue[T], stop: threading.Event, item: T) -> None:
    while not stop.is_set():
        try:
            box.put(item, timeout=0.1)
            return
        except queue.Full:
            continue


class Behind(Generic[T]):
    """Calls `consume` with each item in its own thread; errors surface at the next `put` or at `close`."""

    def __init__(self, consume: Callable[[T], None], depth: int = DEPTH) -> None:
        self._consume = consume
        self._box: queue.Queue[tuple[T] | None] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (boxed := self._box.get()) is not None:
            if self._error is None:
                try:
                    self._consume(boxed[0])
                except BaseException as error:
                    self._error = error  # keep draining, so that `put` never blocks for ever

    def put(self, item: T) -> None:
        """Hand over one item; waits while the queue is full."""
        if self._error is not None:
            raise self._error
        self._box.put((item,))

    def close(self) -> None:
        """Wait until everything is consumed."""
        self._box.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error
