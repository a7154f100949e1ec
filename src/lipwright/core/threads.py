"""One thread each for the libraries that would otherwise use all cores in every thread of ours."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_users = 0
_before: dict[str, int] = {}


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def one_thread_each() -> Iterator[None]:
    """While any caller is inside, torch and OpenCV use one thread; as before when the last one has left.

    torch keeps its number per thread and a default for new ones: threads started inside take one, others keep theirs.
    Results do not depend on it.
    """
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
