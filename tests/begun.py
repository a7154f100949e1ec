"""Threads that a test has left behind."""

from __future__ import annotations

import threading


def begun(before: set[threading.Thread]) -> set[threading.Thread]:
    """Those that were not there before; others, of earlier tests, may end meanwhile."""
    return set(threading.enumerate()) - before
