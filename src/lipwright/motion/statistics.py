"""Everything a motion model measured on its training frames: it travels in the persona with the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lipwright.core.clock import FPS
from lipwright.core.contracts import F32, Conditions
from lipwright.motion.config import MotionConfig
from lipwright.motion.data import MotionClip
from lipwright.motion.filters import low_pass
from lipwright.motion.lips import Lips, fit_lips
from lipwright.motion.pca import MouthPca
from lipwright.motion.resting import Resting, fit_resting
from lipwright.motion.scores import N_MOUTH
from lipwright.motion.separate import Separate, fit_separate
from lipwright.motion.silence import FEATURE, PAUSES, silence_of

UNIT = 100.0
"""Targets are multiplied by this, so that Adam's epsilon is harmless."""
_LIMIT = 5.0
"""Standardised features are held within: digital silence lies dozens of deviations below speech."""


@dataclass(frozen=True)
class Statistics:
    """Means, deviations and mouth basis of one person's training frames; closed-form parts of `separate`."""

    feature_mean: Mapping[str, F32]
    feature_std: Mapping[str, F32]
    pose_mean: F32
    pose_std: F32
    cheek_mean: F32
    """(16,)."""
    cheek_std: F32
    origin: F32
    """(58,) mean of what the networks learn, subtracted from their targets."""
    pca: MouthPca
    separate: Separate | None = None
    """Only for `separate` models."""
    lips: Lips | None = None
    """Only for models whose phones close the lips."""
    resting: Resting | None = None
    """Only for those of them that are not `separate`, whose rest is in that."""

    @classmethod
    def measure(cls, clips: Sequence[MotionClip], config: MotionConfig) -> Statistics:
        """Measure on training clips; frames without a face do not count."""
        seen = np.concatenate([c.weight > 0 for c in clips])
        held = [smooth_conditions(c.conditions, config) for c in clips]
        pose = np.concatenate([h.pose_rad for h in held])[seen]
        cheek = np.concatenate([h.cheeks for h in held])[seen].reshape(len(pose), -1)
        rows = {name: np.concatenate([c.features[name] for c in clips]) for name in config.features}
        mean = {name: r.mean(axis=0, dtype=np.float64).astype(np.float32) for name, r in rows.items()}
        std = {name: _deviation(r) for name, r in rows.items()}
        points = np.concatenate([c.landmarks for c in clips])[seen]
        separate, resting, landmarks = None, None, [c.landmarks for c in clips]
        features = [_standardise(c.features, mean, std) for c in clips]
        silences = [silence_of(c.features[FEATURE], c.features[PAUSES]) for c in clips] if config.rests else None
        silence = None if silences is None else np.concatenate(silences)
        if silence is not None and not config.separate:
            resting = fit_resting(features, landmarks, [c.conditions for c in clips], seen, silence, config)
        if config.separate:
            separate = fit_separate(features, landmarks, held, seen, silence, config)
            shapes = [separate.shape(p, h) for p, h in zip(landmarks, held, strict=True)]
            points = np.concatenate(shapes)[seen]
        lips = _fit_lips(clips) if config.lips else None
        origin = points.reshape(len(points), -1).mean(axis=0, dtype=np.float64).astype(np.float32)
        return cls(
            mean, std, pose.mean(axis=0), _deviation(pose), cheek.mean(axis=0), _deviation(cheek),
            origin, MouthPca.fit(points[:, :N_MOUTH]), separate, lips, resting,
        )  # fmt: skip

    def features(self, features: Mapping[str, F32]) -> dict[str, F32]:
        """Standardised, limited features."""
        return _standardise(features, self.feature_mean, self.feature_std)

    def conditions(self, held: Conditions) -> tuple[F32, F32]:
        """Standardised (T, 3) pose and (T, 16) cheeks of conditions that are already smoothed."""
        flat = held.cheeks.reshape(len(held.cheeks), -1)
        return (held.pose_rad - self.pose_mean) / self.pose_std, (flat - self.cheek_mean) / self.cheek_std

    def encode(self, landmarks: F32, held: Conditions) -> tuple[F32, F32]:
        """(T, 29, 2) to what the networks learn: mouth components (T, 13) and landmarks (T, 58), in UNITs."""
        points = landmarks if self.separate is None else self.separate.shape(landmarks, held)
        flat = points.reshape(len(points), -1) - self.origin
        return self.pca.encode(points[:, :N_MOUTH]) * UNIT, flat * UNIT

    def decode(
        self,
        flat: F32,
        features: Mapping[str, F32],
        held: Conditions,
        silence: F32 | None,
        only: slice = slice(None),
    ) -> F32:
        """(T, 58) of the networks, standardised features, conditions, silence to (T, 29, 2) landmarks.

        Args: `only`, frames that are wanted.
        """
        points = (flat / UNIT + self.origin).reshape(len(flat), -1, 2).astype(np.float32)
        return points if self.separate is None else self.separate.landmarks(points, features, held, silence, only)


def _fit_lips(clips: Sequence[MotionClip]) -> Lips:
    return fit_lips(
        [c.landmarks for c in clips],
        [c.conditions.pose_rad[:, 2] for c in clips],
        [c.weight for c in clips],
        [c.features[FEATURE] for c in clips],
    )


def smooth_conditions(conditions: Conditions, config: MotionConfig) -> Conditions:
    """Conditions as the networks see them; a `separate` model parts slow from fast by itself."""
    if config.separate:
        return conditions
    return Conditions(
        low_pass(conditions.pose_rad, config.pose_smoothing_s * float(FPS)),
        low_pass(conditions.cheeks, config.condition_smoothing_s * float(FPS)),
    )


def _standardise(features: Mapping[str, F32], mean: Mapping[str, F32], std: Mapping[str, F32]) -> dict[str, F32]:
    return {n: np.clip((features[n] - m) / std[n], -_LIMIT, _LIMIT) for n, m in mean.items()}


def _deviation(rows: F32) -> F32:
    """Standard deviation per column, never so small that noise would blow up."""
    std = rows.std(axis=0, dtype=np.float64)
    floor = max(1e-3 * float(std.max()), 1e-6)
    return np.maximum(std, floor).astype(np.float32)
