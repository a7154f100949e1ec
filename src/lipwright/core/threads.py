"""One thread each for the libraries that would otherwise use all cores in every thread of ours.

numpy's BLAS is one of them: its threads wait for each other by spinning, which costs a small system of equations a
hundred times its own time when the cores are busy, and nothing here is large enough to gain from them.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

_lock = threading.Lock()
_users = 0
_before: dict[str, int] = {}
_limited = 0
_limit: threadpool_limits | None = None


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """While any caller is inside, BLAS uses one thread in the whole process; as before when the last one has left."""
    global _limit, _limited
    with _lock:
        _limited += 1
        if _limited == 1:
            _limit = threadpool_limits(1, user_api="blas")
    try:
        yield
    finally:
        with _lock:
            _limited -= 1
            if _limited == 0 and _limit is not None:
                _limit.restore_original_limits()


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Inside, torch uses one thread for what the calling thread asks of it.

    For networks so small that another thread gains nothing: it would be waited for by spinning, which beside other
    work took a stream's frame from 50 to 760 ms.
    """
    torch = sys.modules.get("torch")
    before = 1 if torch is None else torch.get_num_threads()
    if torch is None or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def one_thread_each() -> Iterator[None]:
    """While any caller is inside, torch, OpenCV and BLAS use one thread; as before when the last one has left.

    torch keeps its number per thread and a default for new ones: threads started inside take one, others keep theirs.
    Results do not depend on it.
    """
    with one_blas_thread(), _torch_and_cv2():
        yield


@contextmanager
def _torch_and_cv2() -> Iterator[None]:
    global _users
    import cv2

    torch = sys.modules.get("torch")
    with _lock:
        _users += 1
        if _users == 1:
            _before["cv2"] = cv2.getNumThreads()
            cv2.setNumThreads(1)
        if torch is not None and "torch" not in _before:
            _before["torch"] = torch.get_num_threads()
            torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                cv2.setNumThreads(_before.pop("cv2"))
                if torch is not None and "torch" in _before:
                    torch.set_num_threads(_before.pop("torch"))
