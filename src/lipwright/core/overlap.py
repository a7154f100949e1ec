"""Stages that run at the same time: read ahead in one thread, work in several, write behind in another.

Worth it because the stages spend their time in native code that releases the interpreter. Queues are
short, so memory does not depend on length; errors of a stage surface in the caller. A generator that is closed, or
ends by an error, has stopped its threads when it returns.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

DEPTH = 12
"""Items in flight between two stages."""

Around = Callable[[], AbstractContextManager[object]]
"""What a stage runs inside: its thread, or a wait for its queue (see `core.stages`)."""


def ahead(
    items: Iterator[T], depth: int = DEPTH, inside: Around = nullcontext, waiting: Around = nullcontext
) -> Iterator[T]:
    """Run an iterator in its own thread, at most `depth` items ahead; its errors surface here.

    Args:
        inside: entered by the thread for as long as it runs.
        waiting: entered by the caller while it waits for an item.
    """
    box: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(depth)
    stop = threading.Event()

    def work() -> None:
        try:
            with inside():
                for item in items:
                    if not _put(box, stop, (item, None)):
                        return
            _put(box, stop, (None, StopIteration()))
        except BaseException as error:
            _put(box, stop, (None, error))
        finally:
            _close(items)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            with waiting():
                item, error = box.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()


def _put(box: queue.Queue[T], stop: threading.Event, item: T) -> bool:
    """Whether the item went in before the stage was stopped."""
    while not stop.is_set():
        try:
            box.put(item, timeout=0.1)
            return True
        except queue.Full:
            continue
    return False


def _close(items: Iterator[T]) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        close()


def spread(
    items: Iterator[T],
    workers: Sequence[Callable[[T], R]],
    depth: int = 2,
    inside: Around = nullcontext,
    waiting: Around = nullcontext,
) -> Iterator[R]:
    """Results of items in order, worked on by several threads at once; errors surface at their place in the order.

    Args:
        items: taken by one thread at a time, in order, so what it does between items is sequential.
        workers: one thread for each; which of them gets an item is left to chance.
        depth: results that may wait to be taken, beside one in the hands of each worker.
        inside: entered by each thread for as long as it runs.
        waiting: entered by the caller while it waits for a result.
    """
    pool = _Pool(items, workers, depth + len(workers), inside)
    try:
        while True:
            with waiting():
                boxed = pool.take()
            if boxed is None:
                return
            if boxed.error is not None:
                raise boxed.error
            yield boxed.value  # type: ignore[misc]
    finally:
        pool.stop()
        _close(items)


class _Boxed(Generic[R]):
    """A result or the error instead."""

    def __init__(self, value: R | None, error: BaseException | None = None) -> None:
        self.value, self.error = value, error


class _Pool(Generic[T, R]):
    """The threads of `spread`."""

    def __init__(self, items: Iterator[T], workers: Sequence[Callable[[T], R]], room: int, inside: Around) -> None:
        self._items, self._room, self._inside = items, room, inside
        self._taking = threading.Lock()
        self._changed = threading.Condition()
        self._results: dict[int, _Boxed[R]] = {}
        self._given = self._shown = 0
        self._ended = self._stopped = False
        self._threads = [threading.Thread(target=self._work, args=(w,), daemon=True) for w in workers]
        for thread in self._threads:
            thread.start()

    def take(self) -> _Boxed[R] | None:
        """The next result; None after the last."""
        with self._changed:
            while self._shown not in self._results:
                if self._ended and self._shown >= self._given:
                    return None
                self._changed.wait()
            boxed = self._results.pop(self._shown)
            self._shown += 1
            self._changed.notify_all()
        return boxed

    def stop(self) -> None:
        """End all threads; what they have in hand is finished first."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self, work: Callable[[T], R]) -> None:
        with self._inside():
            while (next_item := self._next()) is not None:
                index, item = next_item
                try:
                    boxed = _Boxed(work(item[0]))
                except BaseException as error:
                    boxed = _Boxed(None, error)
                del item, next_item
                self._put(index, boxed)

    def _next(self) -> tuple[int, tuple[T]] | None:
        """The next item and its number, as soon as there is room for its result; None when there is none."""
        with self._taking:
            with self._changed:
                while not self._stopped and not self._ended and self._given >= self._shown + self._room:
                    self._changed.wait()
                if self._stopped or self._ended:
                    return None
            index = self._given
            try:
                item = next(self._items)
            except StopIteration:
                self._end()
                return None
            except BaseException as error:
                self._given += 1
                self._put(index, _Boxed(None, error))
                self._end()
                return None
            self._given += 1
            return index, (item,)

    def _put(self, index: int, boxed: _Boxed[R]) -> None:
        with self._changed:
            self._results[index] = boxed
            self._changed.notify_all()

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class Behind(Generic[T]):
    """Calls `consume` with each item in its own thread; errors surface at the next `put` or at `close`.

    Args:
        inside: entered by the thread for as long as it runs.
        idle: entered by the thread while it waits for an item.
        waiting: entered by the caller while it waits for room.
    """

    def __init__(
        self,
        consume: Callable[[T], None],
        depth: int = DEPTH,
        inside: Around = nullcontext,
        idle: Around = nullcontext,
        waiting: Around = nullcontext,
    ) -> None:
        self._consume, self._inside, self._idle, self._waiting = consume, inside, idle, waiting
        self._box: queue.Queue[tuple[T] | None] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._left = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        with self._inside():
            while True:
                with self._idle():
                    boxed = self._box.get()
                if boxed is None:
                    return
                if self._error is None and not self._left:
                    try:
                        self._consume(boxed[0])
                    except BaseException as error:
                        self._error = error  # keep draining, so that `put` never blocks for ever
                del boxed

    def put(self, item: T) -> None:
        """Hand over one item; waits while the queue is full."""
        if self._error is not None:
            raise self._error
        with self._waiting():
            self._box.put((item,))

    def close(self) -> None:
        """Wait until everything is consumed."""
        self._box.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def abandon(self) -> None:
        """End the thread without consuming what still waits, and without its error: another one matters more."""
        self._left = True
        self._box.put(None)
        self._thread.join()
