"""What LipMatch can tell on people and voices it has never met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import FPS, SAMPLE_RATE, sample_of
from lipwright.core.contracts import F32
from lipwright.lipmatch.clips import KEPT, TalkingMouth
from lipwright.metrics.lipfit import REACH, fits, lip_fit
from lipwright.metrics.lipmatch import SIDE, LipMatch, embed_mouths, embed_sound

SHIFTS = (-10, -5, -2, 0, 2, 5, 10)
"""Frames by which the sound is moved."""
AWAY = (1, 2, 3, 5, 10)
"""Frames between the two sounds of a two-way choice."""
LENGTHS = (1, 25, 75)
"""Windows that are averaged for one choice: 0.2, 1.2 and 3.2 s of picture."""


def table_of(model: LipMatch, mouths: NDArray[np.uint8], samples: F32) -> NDArray[np.float64]:
    """(N, 31) cosines of (T, 48, 48) mouths at 25 fps and 16 kHz samples (`metrics.lipfit.fits`)."""
    lips, sound = embed_mouths(model, mouths), embed_sound(model, samples)
    n = min(len(lips), len(sound))
    return fits(lips[:n], sound[:n])


def measure(model: LipMatch, clips: Sequence[TalkingMouth]) -> dict[str, Any]:
    """Two-way accuracy by frames apart and length, and the error of the offset under known shifts, in frames."""
    tables = [table_of(model, _central(clip), clip.samples) for clip in clips]
    own = [lip_fit(table) for table in tables]
    errors, moved = [], []
    for clip, table in zip(clips, tables, strict=True):
        for by in SHIFTS:
            found = lip_fit(table_of(model, _central(clip), late(clip.samples, by)) if by else table)
            errors.append(found.offset_frames - by)
            moved.append(found.confidence)
    size = np.abs(errors)
    return {
        "clips": len(clips),
        "two_way": {str(n): {str(k): _two_way(tables, n, k) for k in AWAY} for n in LENGTHS},
        "offset_error_frames": {
            "median": float(np.median(size)),
            "within_1": float(np.mean(size <= 1)),
            "within_2": float(np.mean(size <= 2)),
            "mean_signed": float(np.mean(errors)),
        },
        "fit": float(np.mean([one.fit for one in own])),
        "confidence": float(np.mean(moved)),
        "foreign_confidence": _foreign(model, clips),
        "offsets_frames": [round(one.offset_frames, 2) for one in own],
    }


def late(samples: F32, frames: int) -> F32:
    """The sound `frames` later (earlier when negative), silence where it is missing."""
    by = sample_of(abs(frames), FPS)
    silence = np.zeros(by, np.float32)
    return np.concatenate([silence, samples[: len(samples) - by]] if frames > 0 else [samples[by:], silence])


def _central(clip: TalkingMouth) -> NDArray[np.uint8]:
    edge = (KEPT - SIDE) // 2
    return clip.mouths[:, edge : edge + SIDE, edge : edge + SIDE]


def _two_way(tables: Sequence[NDArray[np.float64]], n: int, k: int) -> float:
    """How often the mean of n windows in sync is above that k frames early or late; 0.5 is chance."""
    right: list[NDArray[np.bool_]] = []
    for table in tables:
        running = np.cumsum(np.concatenate([np.zeros((1, table.shape[1])), table]), axis=0)
        sums = running[n:] - running[:-n]
        right += [sums[:, REACH] > sums[:, REACH + step] for step in (-k, k)]
    return float(np.mean(np.concatenate(right)))


def _foreign(model: LipMatch, clips: Sequence[TalkingMouth]) -> float | None:
    """Mean confidence when everybody hears the sound of the next clip."""
    if len(clips) < 2:
        return None
    found = []
    for clip, other in zip(clips, [*clips[1:], clips[0]], strict=True):
        frames = min(len(clip.mouths), len(other.samples) * 25 // SAMPLE_RATE)
        found.append(lip_fit(table_of(model, _central(clip)[:frames], other.samples)).confidence)
    return float(np.mean(found))
