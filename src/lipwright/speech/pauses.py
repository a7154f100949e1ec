"""Where nobody speaks, from the energy of the sound alone; breath and room noise do not count as speech.

A gate between the noise floor and the level of loud speech, both measured over about 18 s around, opens on the
lower of two thresholds but only for stretches that somewhere pass the higher one (hysteresis): the quiet end of
a word is kept, breath that never gets loud is not. Gaps shorter than 0.2 s are closures of stops, not pauses.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.speech.exact import PhoneTime
from lipwright.speech.hum import without_hum
from lipwright.speech.source import SampleSource

SAMPLES_PER_FRAME = 640
SHORTEST = 5
"""Frames: a shorter silence is part of speech."""
_DIGITAL_DB = -90.0
_NOTHING_DB = -60.0
_BELOW_SPEECH_DB, _ABOVE_FLOOR_DB, _CLEAR_DB = 30.0, 6.0, 15.0
"""The lower threshold: 30 dB under loud speech, or 6 dB over the floor where that is higher, but never nearer
to loud speech than 15 dB."""
_HIGH_DB, _HIGH_FRAMES = 18.0, 2
"""Speech comes within 18 dB of loud speech for two frames somewhere in each stretch."""
_STEADY_DB = 6.0
"""Sound that varies less is nobody's speech."""


class Pauses:
    """Two numbers a video frame: 1 where nobody speaks; 1 where 'phones' are exact. `SpeechFeature` 'pauses'."""

    name = "pauses"
    dim = 2
    rate = 1
    block_frames = 250
    context_frames = 100
    halo_frames = block_frames + context_frames

    def __init__(self, exact: Sequence[PhoneTime] | None = None) -> None:
        self._exact = exact is not None

    def block(self, source: SampleSource, index: int) -> F32:
        """(250, 2) rows of the absolute block `index`."""
        first = index * self.block_frames - self.context_frames
        frames = self.block_frames + 2 * self.context_frames
        samples = source(first * SAMPLES_PER_FRAME, (first + frames) * SAMPLES_PER_FRAME)
        silent = silent_frames(levels(samples))[self.context_frames : self.context_frames + self.block_frames]
        return np.stack([silent, np.full(len(silent), self._exact)], axis=1).astype(np.float32)


def levels(samples: F32) -> NDArray[np.float64]:
    """(640·T,) samples to (T,) level of each frame in dBFS, without rumble; -120 for digital silence."""
    kept = without_hum(samples.astype(np.float64)).reshape(-1, SAMPLES_PER_FRAME)
    return np.asarray(10 * np.log10(np.maximum((kept**2).mean(axis=1), 1e-12)), dtype=np.float64)


def silent_frames(level_db: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(T,) levels to (T,) True where nobody speaks."""
    where = np.flatnonzero(level_db > _DIGITAL_DB)
    if len(where) == 0:
        return np.ones(len(level_db), bool)
    sounding = level_db[where[0] : where[-1] + 1]  # zeros past the ends of a recording are not its floor
    floor, loud = np.percentile(sounding, [5, 95])
    if loud < _NOTHING_DB or loud - floor < _STEADY_DB:
        return np.full(len(level_db), bool(loud < _NOTHING_DB or len(sounding) > 50))
    low = max(loud - _BELOW_SPEECH_DB, min(floor + _ABOVE_FLOOR_DB, loud - _CLEAR_DB), _NOTHING_DB)
    speech = level_db >= low
    for start, stop in stretches(speech):
        if (level_db[start:stop] >= loud - _HIGH_DB).sum() < _HIGH_FRAMES:
            speech[start:stop] = False
    for start, stop in stretches(~speech):
        if stop - start < SHORTEST:
            speech[start:stop] = True
    return ~speech


def stretches(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(start, stop) of each run of True in a (T,) mask."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
