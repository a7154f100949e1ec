"""Sound that comes in any pieces, laid on one time line: what was said, and silence where nothing came in time."""

from __future__ import annotations

from collections import deque

import numpy as np

from lipwright.core.contracts import F32


class Timeline:
    """Samples by position; those before `placed` are decided, what waits follows.

    Args: `keep` samples of the past that can be read, at least.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._held = np.zeros(0, np.float32)
        self._first = 0
        self._waiting: deque[F32] = deque()
        self.placed = 0
        """Samples decided so far."""
        self.waiting = 0
        """Samples that came and have no place yet."""
        self.spoken = 0
        """Where the last sound that came ends, as far as it is placed."""

    def push(self, samples: F32) -> None:
        """More sound, to follow what came before."""
        if len(samples):
            self._waiting.append(samples)
            self.waiting += len(samples)

    def place(self, until: int) -> None:
        """Decide samples up to a position with what waits, as far as it goes."""
        while self._waiting and self.placed < until:
            piece = self._waiting.popleft()
            taken, rest = piece[: until - self.placed], piece[until - self.placed :]
            if len(rest):
                self._waiting.appendleft(rest)
            self._add(taken)
            self.waiting -= len(taken)
            self.spoken = self.placed

    def silence(self, until: int) -> None:
        """Decide that nothing sounds up to a position."""
        if until > self.placed:
            self._add(np.zeros(until - self.placed, np.float32))

    def cut(self, at: int) -> None:
        """Forget what waits, and what was decided from a position on."""
        self._waiting.clear()
        self.waiting = 0
        if at < self.placed:
            self._held = self._held[: max(at - self._first, 0)]
            self.placed = at
        self.spoken = min(self.spoken, at)

    def read(self, start: int, stop: int) -> F32:
        """A `SampleSource`: zeros where nothing is decided, or no longer known."""
        out = np.zeros(max(stop - start, 0), np.float32)
        low, high = max(start, self._first), min(stop, self.placed)
        if high > low:
            out[low - start : high - start] = self._held[low - self._first : high - self._first]
        return out

    def _add(self, samples: F32) -> None:
        self._held = np.concatenate([self._held, samples])
        self.placed += len(samples)
        over = len(self._held) - self._keep
        if over > self._keep // 2:  # now and then, not with every piece
            self._held = self._held[over:].copy()
            self._first += over
