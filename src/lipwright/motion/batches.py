"""Which clips a training step sees: drawn from (seed, step) alone, so that a resumed run repeats itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32
from lipwright.motion.augment import augment
from lipwright.motion.config import MotionConfig
from lipwright.motion.data import MotionClip
from lipwright.motion.statistics import Statistics, smooth_conditions

_FEATURE = "feature "


@dataclass(frozen=True)
class Batch:
    """B clips of clip_frames + 2·context_frames frames."""

    features: dict[str, F32]
    """name -> (B, rate·T, D) standardised."""
    pose: F32
    """(B, T, 3)."""
    cheeks: F32
    """(B, T, 16)."""
    mouth: F32
    """(B, T, 13)."""
    landmarks: F32
    """(B, T, 58)."""
    weight: F32
    """(B, T)."""
    elsewhere: dict[str, F32]
    """name -> (B, rate·T, D) of the same stretches, half a second or more away; empty unless asked for."""


ELSEWHERE_FRAMES = 13
"""Half a second: speech that no longer fits a mouth."""


class Batches:
    """An endless stream of clips: epochs of all starts every `stride` frames, shifted and shuffled anew."""

    def __init__(self, clips: Sequence[MotionClip], statistics: Statistics, config: MotionConfig, seed: int):
        self._config, self._seed = config, seed
        self._clips = [_prepare(c, statistics, config) for c in clips]
        self._fast = {name for name, _ in config.cascade().fast_features}
        spare = config.clip_frames + config.stride - 1
        self._starts = [
            (i, k * config.stride)
            for i, c in enumerate(clips)
            for k in range(max((len(c) - spare) // config.stride + 1, 1))
        ]

    @property
    def clips_per_epoch(self) -> int:
        """Clips of one pass over the footage."""
        return len(self._starts)

    def draw(self, step: int) -> Batch:
        """The batch of one step."""
        size, count = self._config.batch, len(self._starts)
        rng = np.random.default_rng([self._seed, 2, step])
        apart = np.random.default_rng([self._seed, 3, step])
        hurry = np.random.default_rng([self._seed, 4, step])
        chosen, other = [], []
        for position in range(step * size, (step + 1) * size):
            order, shift = self._epoch(position // count)
            index, start = self._starts[order[position % count]]
            chosen.append(self._cut(index, start + shift, self._speed(hurry)))
            if self._config.adversarial:
                other.append(self._cut(index, self._away(index, start + shift, apart)))
        stacked = {key: np.stack([c[key] for c in chosen]) for key in chosen[0]}
        features = self._changed(stacked, rng)
        elsewhere = self._changed({key: np.stack([c[key] for c in other]) for key in other[0]}, rng) if other else {}
        rest = {key: rows for key, rows in stacked.items() if not key.startswith(_FEATURE)}
        return Batch(features, **rest, elsewhere=elsewhere)

    def _changed(self, stacked: dict[str, F32], rng: np.random.Generator) -> dict[str, F32]:
        """Augmented features of a batch."""
        frames = stacked["pose"].shape[1]
        rows = {key: stacked[_FEATURE + key] for key in self._config.features}
        return {
            key: augment(r, key in self._fast, r.shape[1] // frames, self._config.augment, rng)
            for key, r in rows.items()
        }

    def _away(self, index: int, start: int, rng: np.random.Generator) -> int:
        """Another start in the same stretch, as far away as it can be where the stretch is short."""
        room = max(len(self._clips[index]["pose"]) - self._config.clip_frames, 0)
        start = min(start, room)
        free = [k for k in range(room + 1) if abs(k - start) >= ELSEWHERE_FRAMES]
        return int(rng.choice(free)) if free else (0 if start > room / 2 else room)

    def _epoch(self, epoch: int) -> tuple[np.ndarray, int]:
        rng = np.random.default_rng([self._seed, 1, epoch])
        shift = int(rng.integers(0, self._config.stride))
        return rng.permutation(len(self._starts)), shift

    def _speed(self, rng: np.random.Generator) -> float:
        most = self._config.augment.speed
        return 1 + float(rng.uniform(-most, most)) if most > 0 else 1.0

    def _cut(self, index: int, start: int, speed: float = 1.0) -> dict[str, F32]:
        """A clip with its context, `speed` times as fast around its middle; beyond the ends the last frame holds."""
        clip = self._clips[index]
        n, context = len(clip["pose"]), self._config.context_frames
        start = min(start, max(n - self._config.clip_frames, 0))
        wanted = np.arange(start - context, start + self._config.clip_frames + context)
        if speed != 1:
            middle = start + (self._config.clip_frames - 1) / 2
            return {key: _faster(rows, n, wanted, middle, speed) for key, rows in clip.items()}
        frames = np.clip(wanted, 0, n - 1)
        out = {}
        for key, rows in clip.items():
            rate = len(rows) // n
            where = (frames[:, None] * rate + np.arange(rate)).reshape(-1)
            out[key] = rows[where]
        return out


def _faster(rows: F32, n: int, wanted: np.ndarray, middle: float, speed: float) -> F32:
    """Rows of the frames `wanted`, read `speed` times as fast around the frame `middle`, on straight lines."""
    rate = len(rows) // n
    centres = wanted[:, None] + (np.arange(rate) + 0.5) / rate - 0.5
    at = np.clip((middle + speed * (centres - middle) + 0.5) * rate - 0.5, 0, len(rows) - 1).reshape(-1)
    low = np.minimum(at.astype(np.int64), max(len(rows) - 2, 0))
    share = (at - low).astype(np.float32).reshape(-1, *([1] * (rows.ndim - 1)))
    return (rows[low] + share * (rows[np.minimum(low + 1, len(rows) - 1)] - rows[low])).astype(np.float32)


def _prepare(clip: MotionClip, statistics: Statistics, config: MotionConfig) -> dict[str, F32]:
    held = smooth_conditions(clip.conditions, config)
    pose, cheeks = statistics.conditions(held)
    mouth, landmarks = statistics.encode(clip.landmarks, held)
    rows = statistics.features({name: clip.features[name] for name in config.features})
    prepared = {_FEATURE + name: r.astype(np.float32) for name, r in rows.items()}
    arrays = {"pose": pose, "cheeks": cheeks, "mouth": mouth, "landmarks": landmarks}
    prepared |= {name: a.astype(np.float32) for name, a in arrays.items()}
    return prepared | {"weight": (clip.weight > 0).astype(np.float32)}
