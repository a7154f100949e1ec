"""What the cross-modal network begins with: the person's mean pictures, and how they move with what is heard.

A linear regression from the window of speech to the mouth picture, of low rank, is found in seconds and in closed form.
The network then learns what it misses, not speech from nothing (ours, not the paper's).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import MOUTH
from lipwright.face.align import apply
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.crossmodal.prototypes import BRIGHTEST, Chosen, choose_frames

_FRAMES = 1000
_SMALL = 32
"""Side of the pictures on which the regression is found."""
_ROOM = 0.2
"""Of the mouths' width, that they are cut out beyond them."""
_FOLDS = 5
_RIDGES = 10.0 ** np.arange(-3, 1.6, 0.5)
"""Of the speech's own variance."""
_SILENT = 1e-6
"""Least ridge a frame: footage without speech has no variance at all."""
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Start:
    """Base pictures before tanh, K pictures that are added to them as speech says, and P mouths; M = S / 2."""

    head: F32
    """(3, S, S)."""
    mouth: F32
    """(3, S, S)."""
    weight: F32
    """(K, window · k) of standardised speech."""
    bias: F32
    """(K,)."""
    head_moves: F32
    """(K, 3, M, M)."""
    mouth_moves: F32
    """(K, 3, M, M)."""
    chosen: Chosen | None = None
    """Which mouths, and what is said in them; its frames are places in the data. None: there are none."""
    chosen_mouths: U8 | None = None
    """(P, S, S, 3) mouth pictures of these frames."""
    chosen_heads: U8 | None = None
    """(P, S, S, 3) head pictures of these frames."""


def mouth_region(data: CrossModalData, config: CrossModalConfig) -> tuple[int, int, int, int]:
    """Left, top, width and height in the mouth picture of where mouths of training frames are."""
    size = config.size
    mouths = apply(data.geometry.mouth_from_head(size), data.landmarks[data.train])[:, MOUTH]
    low, high = np.percentile(mouths.min(1), 2, axis=0), np.percentile(mouths.max(1), 98, axis=0)
    room = _ROOM * (high[0] - low[0])
    left, top = (max(int(v - room), 0) for v in low)
    right, bottom = (min(int(v + room), size) for v in high)
    return left, top, right - left, bottom - top


def start_of(data: CrossModalData, config: CrossModalConfig, mean: F32, scale: F32) -> Start:
    """The start on a person's training frames.

    Args: `mean`, `scale` (k,) with which the network standardises speech.
    """
    head, mouth = (before_tanh(picture) for picture in data.mean())
    count, size = config.bases, config.size
    speech = (data.speech[_spread(data.train)] - mean) * scale
    weight, bias = np.zeros((count, speech[0].size), np.float32), np.zeros(count, np.float32)
    moves = [np.zeros((count, 3, size // 2, size // 2), np.float32) for _ in range(2)]
    chosen = None
    if count:
        weight, bias = heard_directions(speech, _small_mouths(data, config), count)
        said = speech.reshape(len(speech), -1) @ weight.T + bias
        moves = _moves(data, said, size // 2)
        if config.prototypes:
            chosen = choose_frames(said, moves[1], config.prototypes)
            chosen = replace(chosen, frames=_spread(data.train)[chosen.frames])
    head_moves, mouth_moves = moves
    start = Start(head, mouth, weight, bias, head_moves, mouth_moves)
    if chosen is None:
        return start
    mouths, heads = (np.stack([crops[int(i)] for i in chosen.frames]) for crops in (data.mouth, data.head))
    return replace(start, chosen=chosen, chosen_mouths=mouths, chosen_heads=heads)


def before_tanh(picture: F32) -> F32:
    """(h, w, 3) in [0, 255] to (3, h, w) whose tanh is that picture in [-1, 1]."""
    signed = picture.transpose(2, 0, 1).astype(np.float32) / np.float32(127.5) - 1
    return np.arctanh(np.clip(signed, -BRIGHTEST, BRIGHTEST))


def heard_directions(speech: F32, pictures: F32, count: int) -> tuple[F32, F32]:
    """Reduced-rank ridge regression (Izenman 1975) from speech to pictures: what of speech moves them most.

    Args: `speech` (N, W, k); `pictures` (N, D), pixels already weighted.
    Returns: weights (count, W·k) and bias (count,), whose products with speech have mean 0 and deviation 1. The ridge
    is the best of a few on stretches left out.
    """
    x = speech.reshape(len(speech), -1).astype(np.float64)
    y = pictures.astype(np.float64)
    ridge = min(_RIDGES, key=lambda r: _left_out(x, y, float(r)))
    centre = x.mean(0)
    slope = _ridge(x - centre, y - y.mean(0), ridge)
    told = (x - centre) @ slope
    _, _, directions = np.linalg.svd(told, full_matrices=False)
    weight = np.zeros((x.shape[1], count))
    found = slope @ directions[:count].T
    weight[:, : found.shape[1]] = found / np.maximum(((x - centre) @ found).std(0), 1e-9)
    return weight.T.astype(np.float32), -(centre @ weight).astype(np.float32)


def _ridge(x: F64, y: F64, ridge: float) -> F64:
    gram = x.T @ x
    floor = max(ridge * float(np.trace(gram)) / len(gram), _SILENT * len(x))
    return np.linalg.solve(gram + floor * np.eye(len(gram)), x.T @ y)


def _left_out(x: F64, y: F64, ridge: float) -> float:
    """Squared error on stretches that took no part: neighbouring frames are alike, so stretches, not frames."""
    fold = np.arange(len(x)) * _FOLDS // len(x)
    off = 0.0
    for k in range(_FOLDS):
        here, there = fold == k, fold != k
        if not here.any() or not there.any():
            continue
        mx, my = x[there].mean(0), y[there].mean(0)
        off += float(((y[here] - my - (x[here] - mx) @ _ridge(x[there] - mx, y[there] - my, ridge)) ** 2).sum())
    return off


def _spread(places: NDArray[np.int64]) -> NDArray[np.int64]:
    return places[np.linspace(0, len(places) - 1, min(_FRAMES, len(places))).round().astype(np.int64)]


def _small_mouths(data: CrossModalData, config: CrossModalConfig) -> F32:
    """(N, D) small mouth pictures before tanh; pixels around the mouth count as in training."""
    places, size = _spread(data.train), config.size
    weight = np.ones((size, size), np.float32)
    weight[data.geometry.mouth_box(np.median(data.landmarks[data.train], axis=0), size)] = config.lip_weight
    share = np.sqrt(_small(weight, _SMALL))
    return np.stack([(before_tanh(_small(data.mouth[int(i)], _SMALL)) * share).ravel() for i in places])


def _moves(data: CrossModalData, said: F32, side: int) -> list[F32]:
    """(K, 3, side, side) of heads and of mouths: least squares of the pictures on `said` (N, K), in one pass."""
    numbers = np.concatenate([said, np.ones((len(said), 1), np.float32)], 1)
    inverse = np.linalg.inv(numbers.T @ numbers + 1e-3 * len(numbers) * np.eye(numbers.shape[1])).astype(np.float32)
    sums = [np.zeros((numbers.shape[1], 3 * side * side), np.float32) for _ in range(2)]
    for row, i in zip(numbers, _spread(data.train), strict=True):
        for total, crops in zip(sums, (data.head, data.mouth), strict=True):
            total += np.outer(row, before_tanh(_small(crops[int(i)], side)).ravel())
    return [(inverse @ total)[:-1].reshape(-1, 3, side, side) for total in sums]


def _small(picture: U8 | F32, side: int) -> F32:
    return np.asarray(cv2.resize(picture.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA), np.float32)
