"""Where speech features take their samples from: any stretch of an endless signal, zero beyond its ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError

SampleSource = Callable[[int, int], F32]
"""(start_sample, stop_sample) -> (stop - start,) float32 in [-1, 1] at 16 kHz.

Positions may be negative or past the end: such samples are zero. The same positions must always give the
same samples; that is what makes every chunk of features independent of how the speech is cut.
"""


def array_source(samples: F32) -> SampleSource:
    """A source over samples held in memory.

    Args:
        samples: (S,) float32 in [-1, 1], 16 kHz; sample 0 is time 0 of the video.
    """
    held = np.asarray(samples, dtype=np.float32)
    if held.ndim != 1:
        raise ShapeError("samples", ("S",), held.shape)

    def read(start: int, stop: int) -> F32:
        out = np.zeros(max(stop - start, 0), np.float32)
        first, last = max(start, 0), min(stop, len(held))
        if last > first:
            out[first - start : last - start] = held[first:last]
        return out

    return read
