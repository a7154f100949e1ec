"""Where nobody speaks: an energy gate over the audio, one decision per video frame."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import FPS, SAMPLE_RATE, sample_of

ABSOLUTE_SILENCE_DB = -60.0
"""dBFS below which nothing counts as speech."""
BELOW_SPEECH_DB = 30.0
"""A frame this far below loud speech is silent even over a clean floor."""
ABOVE_FLOOR_DB = 6.0
"""With room noise or music: silent means within this of the quietest frames ..."""
CLEAR_OF_SPEECH_DB = 15.0
"""... but never nearer to loud speech than this."""


def frame_levels(
    samples: NDArray[Any], n_frames: int, fps: Fraction = FPS, sample_rate: int = SAMPLE_RATE
) -> NDArray[np.float64]:
    """(n_frames,) RMS level of every frame's samples in dBFS; -120 for digital silence or past the end."""
    wave = np.asarray(samples, dtype=np.float64)
    edges = [min(sample_of(f, fps, sample_rate), len(wave)) for f in range(n_frames + 1)]
    total = np.concatenate([[0.0], np.cumsum(wave * wave)])
    power = [(total[b] - total[a]) / (b - a) if b > a else 0.0 for a, b in itertools.pairwise(edges)]
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)), dtype=np.float64)


def silence_mask(
    samples: NDArray[Any],
    n_frames: int,
    fps: Fraction = FPS,
    sample_rate: int = SAMPLE_RATE,
    shortest_s: float = 0.2,
) -> NDArray[np.bool_]:
    """(n_frames,) True where nobody speaks, from the audio's energy alone.

    A frame is silent below max(L95 - 30 dB, min(L5 + 6 dB, L95 - 15 dB)), with L5 and L95 the 5th and 95th
    percentile of the frame levels, and always below -60 dBFS. Silences shorter than `shortest_s` are the
    closures of stops, not pauses, and are dropped.
    """
    levels = frame_levels(samples, n_frames, fps, sample_rate)
    if not n_frames:
        return np.zeros(0, dtype=bool)
    floor, loud = np.percentile(levels, [5, 95])
    gate = max(loud - BELOW_SPEECH_DB, min(floor + ABOVE_FLOOR_DB, loud - CLEAR_OF_SPEECH_DB))
    silent = (levels < gate) | (levels < ABSOLUTE_SILENCE_DB)
    return _drop_short(silent, max(1, round(shortest_s * float(fps))))


def _drop_short(mask: NDArray[np.bool_], shortest: int) -> NDArray[np.bool_]:
    kept = mask.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start < min(shortest, len(mask)):
            kept[start:end] = False
    return kept
