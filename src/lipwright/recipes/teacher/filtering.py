"""Does a pseudo video fit its sound? Chunks that do not are left out, and the teacher's own lag is taken away.

LatentSync's preprocessing and SPEC 5: after the teacher's bias is compensated, chunks of low confidence or more than a
frame off go. With SyncNet's weights the confidence is LSE-C and the least is 3; without them it is LipMatch's, whose
numbers mean nothing by themselves, so the least is the same share of what the person's own footage scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core import weights
from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.evaluate import face_boxes as fb
from lipwright.evaluate.mouths import MouthCutter
from lipwright.metrics import lipmatch, lse, syncnet
from lipwright.metrics.lipfit import REACH, fits
from lipwright.metrics.syncnet import WINDOW_FRAMES
from lipwright.speech.mfcc import int16_amplitudes, mfcc

CHUNK = 100
"""Windows that are judged together: four seconds."""
LEAST_LSE_C = 3.0
"""SyncNet's confidence below which a chunk goes."""
LEAST_SHARE = 0.4
"""Of the own footage's confidence, for LipMatch: what 3 is to real footage's LSE-C of about 7.5."""
FARTHEST = 1.0
"""Frames by which a chunk may be off after compensation."""
_BLIND = 0.02
"""LipMatch confidence of one's own footage below which it cannot judge this face."""
_ENLARGED = 2
"""SyncNet's own rule wants faces of more than 100 px, and portraits hold 96."""
F64 = NDArray[np.float64]


class Scorer(Protocol):
    """Lips against sound at every shift."""

    name: str

    def table(self, frames: Iterable[U8], seen: FaceTrack, samples: F32) -> F64:
        """(N, 31) fit, higher is better: row i is the window that begins at frame i + 15 (of 25 a second), column k the
        sound k - 15 frames later; no rows where it is too short."""


class LipMatchScorer:
    """lipwright's own."""

    name = "lipmatch"

    def __init__(self) -> None:
        self._model = lipmatch.load_lipmatch()[0]

    def table(self, frames: Iterable[U8], seen: FaceTrack, samples: F32) -> F64:
        """See `Scorer`."""
        cutter = MouthCutter.of(seen, lipmatch.SIDE)
        for _ in cutter.tap(frames):
            pass
        if len(seen) < WINDOW_FRAMES + 2 * REACH or len(samples) < 640 * (WINDOW_FRAMES + 2 * REACH + 1):
            return np.zeros((0, 2 * REACH + 1))
        lips, sound = lipmatch.embed_mouths(self._model, cutter.mouths), lipmatch.embed_sound(self._model, samples)
        n = min(len(lips), len(sound))
        return fits(lips[:n], sound[:n])


class SyncNetScorer:
    """SyncNet with the weights that the user brought: minus the distances that LSE is made of."""

    name = "syncnet"

    def __init__(self, model: syncnet.SyncNet) -> None:
        self._model = model

    def table(self, frames: Iterable[U8], seen: FaceTrack, samples: F32) -> F64:
        """See `Scorer`."""
        boxes = _ENLARGED * fb.boxes_of(seen)
        found = fb.longest_track(boxes, [])
        n = 0 if found is None else lse.window_count(len(found), len(samples) - 640 * found.first)
        if found is None or n < 1 + 2 * REACH:
            return np.zeros((0, 2 * REACH + 1))
        sound = samples[640 * found.first : 640 * (found.first + len(found))]
        lips = syncnet.embed_lips(self._model, fb.crops(_enlarged(frames), found), n)
        heard = syncnet.embed_sound(self._model, mfcc(int16_amplitudes(sound)), n)
        whole = np.full((max(len(seen) - WINDOW_FRAMES + 1, n), 2 * REACH + 1), np.nan)
        whole[found.first : found.first + n] = -np.asarray(lse.distances(lips, heard), np.float64)
        return whole[REACH:-REACH]


def _enlarged(frames: Iterable[U8]) -> Iterator[U8]:
    for frame in frames:
        yield np.asarray(cv2.resize(frame, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC), np.uint8)


def scorer() -> Scorer:
    """SyncNet where its weights are, else LipMatch."""
    path = weights.find("syncnet")
    return LipMatchScorer() if path is None else SyncNetScorer(syncnet.load_syncnet(path))


def score(table: NDArray[Any]) -> tuple[float, float]:
    """(confidence, frames by which the sound is late) of (N, 31) fits; the latter between frames by a parabola."""
    curve = np.nanmean(np.asarray(table, np.float64), axis=0)
    best = int(np.clip(curve.argmax(), 1, len(curve) - 2))
    before, top, after = curve[best - 1 : best + 2]
    bend = before - 2 * top + after
    step = float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0
    return float(curve.max() - np.median(curve)), best - REACH + step


def chunks(n_windows: int) -> list[tuple[int, int]]:
    """(start, stop) windows of chunks of about four seconds; none is shorter than two."""
    count = max(round(n_windows / CHUNK), 1)
    edges = np.linspace(0, n_windows, count + 1).round().astype(int)
    return [(int(a), int(b)) for a, b in pairwise(edges) if b - a >= CHUNK // 2]


@dataclass(frozen=True)
class Rule:
    """What may stay."""

    least: float
    """Confidence; minus infinity where the scorer cannot judge the face."""
    bias: float
    """Frames by which the teacher's lips are early beyond what the scorer finds in the person's own footage."""
    own_late: float
    """Frames by which the scorer takes the person's own sound to be late: the scorer's bias, and the footage's."""

    def keeps(self, confidence: float, late: float) -> bool:
        """Whether a chunk stays; a chunk in the scorer's blind spot does."""
        return self.least == -np.inf or (confidence >= self.least and abs(late - self.own_late - self.bias) <= FARTHEST)


def rule_of(own: NDArray[Any], pseudo: list[tuple[float, float]], name: str) -> Rule:
    """The rule from the table of the person's own footage and the scores of all pseudo chunks.

    The teacher's bias is the median over its surer half.
    """
    if not len(own) or not pseudo:
        return Rule(-np.inf, 0.0, 0.0)
    confidence, late = score(own)
    least = LEAST_LSE_C if name == "syncnet" else LEAST_SHARE * confidence
    if name != "syncnet" and confidence < _BLIND:
        return Rule(-np.inf, 0.0, late)
    sure = [o for c, o in pseudo if c >= np.median([p[0] for p in pseudo])]
    bias = float(np.median(sure)) - late
    return Rule(least, bias if abs(bias) <= 2 * WINDOW_FRAMES else 0.0, late)


def weighed(table: NDArray[Any], n_frames: int, rule: Rule) -> F32:
    """(T,) 1 for frames of chunks that stay, 0 for those that go; the ends go with the chunk next to them."""
    kept = np.zeros(n_frames, np.float32)
    found = chunks(len(table))
    for k, (a, b) in enumerate(found):
        stays = np.isfinite(table[a:b]).any() and rule.keeps(*score(table[a:b]))
        first = 0 if k == 0 else a + REACH + WINDOW_FRAMES // 2
        stop = n_frames if k == len(found) - 1 else b + REACH + WINDOW_FRAMES // 2
        kept[first:stop] = float(stays)
    if not found:  # too short to be judged
        kept[:] = float(rule.least == -np.inf)
    return kept


def all_scores(tables: Iterable[NDArray[Any]]) -> list[tuple[float, float]]:
    """The scores of every chunk."""
    cut = chain.from_iterable((t[a:b] for a, b in chunks(len(t))) for t in tables)
    return [score(piece) for piece in cut if np.isfinite(piece).any()]
