"""Everything a motion model measured on its training frames: it travels in the persona with the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import FPS
from lipwright.core.contracts import F32, Conditions
from lipwright.motion.config import MotionConfig
from lipwright.motion.data import MotionClip
from lipwright.motion.filters import low_pass
from lipwright.motion.geometry import rotate
from lipwright.motion.location import Location, fit_location, inputs, speech_articulation
from lipwright.motion.pca import MouthPca
from lipwright.motion.scores import N_MOUTH

UNIT = 100.0
"""Targets are multiplied by this, so that Adam's epsilon is harmless (SPEC section 4)."""
_LIMIT = 5.0
"""Standardised features are held within: digital silence lies dozens of deviations below speech."""
_AROUND = range(-6, 7, 2)


@dataclass(frozen=True)
class Statistics:
    """Means, deviations, mouth basis and location model of one person's training frames."""

    feature_mean: Mapping[str, F32]
    feature_std: Mapping[str, F32]
    pose_mean: F32
    pose_std: F32
    cheek_mean: F32
    """(16,)."""
    cheek_std: F32
    origin: F32
    """(58,) mean landmarks, subtracted from the targets."""
    pca: MouthPca
    location: Location | None = None
    """Only for `separate` models."""

    @classmethod
    def measure(cls, clips: Sequence[MotionClip], config: MotionConfig) -> Statistics:
        """Measure on training clips; frames without a face do not count."""
        seen = [c.weight > 0 for c in clips]
        held = [smooth_conditions(c.conditions, config) for c in clips]
        pose = np.concatenate([h.pose_rad[s] for h, s in zip(held, seen, strict=True)])
        cheek = np.concatenate([h.cheeks[s] for h, s in zip(held, seen, strict=True)]).reshape(len(pose), -1)
        rows = {name: np.concatenate([c.features[name] for c in clips]) for name in config.features}
        landmarks = np.concatenate([c.landmarks[s] for c, s in zip(clips, seen, strict=True)])
        location = _location(clips, held, seen, config) if config.separate else None
        origin = landmarks.reshape(len(landmarks), -1).mean(axis=0, dtype=np.float64).astype(np.float32)
        mouths = landmarks[:, :N_MOUTH]
        if location is not None:
            origin = np.zeros_like(origin)
            mouths = np.concatenate(
                [_shape(c.landmarks, h, location)[s] for c, h, s in zip(clips, held, seen, strict=True)]
            )[:, :N_MOUTH]
        return cls(
            {name: r.mean(axis=0, dtype=np.float64).astype(np.float32) for name, r in rows.items()},
            {name: _deviation(r) for name, r in rows.items()},
            pose.mean(axis=0), _deviation(pose), cheek.mean(axis=0), _deviation(cheek),
            origin, MouthPca.fit(mouths), location,
        )  # fmt: skip

    def features(self, features: Mapping[str, F32]) -> dict[str, F32]:
        """Standardised, limited features."""
        return {
            name: np.clip((features[name] - mean) / self.feature_std[name], -_LIMIT, _LIMIT)
            for name, mean in self.feature_mean.items()
        }

    def conditions(self, held: Conditions) -> tuple[F32, F32]:
        """Standardised (T, 3) pose and (T, 16) cheeks of conditions that are already smoothed."""
        flat = held.cheeks.reshape(len(held.cheeks), -1)
        return (held.pose_rad - self.pose_mean) / self.pose_std, (flat - self.cheek_mean) / self.cheek_std

    def encode(self, landmarks: F32, held: Conditions) -> tuple[F32, F32]:
        """(T, 29, 2) to what the networks learn: mouth components (T, 13) and landmarks (T, 58), in UNITs."""
        points = landmarks if self.location is None else _shape(landmarks, held, self.location)
        flat = points.reshape(len(points), -1) - self.origin
        return self.pca.encode(points[:, :N_MOUTH]) * UNIT, flat * UNIT

    def decode(self, flat: F32, held: Conditions, gain: float = 1.0) -> F32:
        """(T, 58) of the networks to (T, 29, 2); `gain` enlarges the speech's share of a separate model."""
        points = (flat / UNIT + self.origin).reshape(len(flat), -1, 2)
        if self.location is None:
            return points.astype(np.float32)
        turned = rotate(points * np.float32(gain), held.pose_rad[:, 2])
        return turned + self.location(held).reshape(points.shape)


def smooth_conditions(conditions: Conditions, config: MotionConfig) -> Conditions:
    """Conditions after the low-passes that the configuration asks for."""
    return Conditions(
        low_pass(conditions.pose_rad, config.pose_smoothing_s * float(FPS)),
        low_pass(conditions.cheeks, config.condition_smoothing_s * float(FPS)),
    )


def _shape(landmarks: F32, held: Conditions, location: Location) -> F32:
    """(T, 29, 2) what is left of the landmarks without location, turned upright."""
    rest = landmarks - location(held).reshape(landmarks.shape)
    return rotate(rest, -held.pose_rad[:, 2])


def _location(
    clips: Sequence[MotionClip],
    held: Sequence[Conditions],
    seen: Sequence[NDArray[np.bool_]],
    config: MotionConfig,
) -> Location:
    groups = np.concatenate([np.full(len(c), i) for i, c in enumerate(clips)])
    keep = np.concatenate(list(seen))
    upright = np.concatenate([rotate(c.landmarks, -c.conditions.pose_rad[:, 2]) for c in clips])
    speech = np.concatenate([_speech_window(c, config) for c in clips])
    articulation = speech_articulation(
        speech[keep], upright[keep, :N_MOUTH].reshape(int(keep.sum()), -1), groups[keep]
    )
    rows = np.concatenate([inputs(h) for h in held])[keep]
    landmarks = np.concatenate([c.landmarks for c in clips])[keep].reshape(len(rows), -1)
    return fit_location(rows, landmarks, articulation, groups[keep], config.leak_penalty)


def _speech_window(clip: MotionClip, config: MotionConfig) -> F32:
    """(T, F) features of each frame and of neighbours up to a quarter of a second away."""
    n = len(clip)
    per_frame = [clip.features[name].reshape(n, -1, clip.features[name].shape[1]).mean(axis=1)
                 for name in config.features]  # fmt: skip
    rows = np.concatenate(per_frame, axis=1)
    index = np.arange(n)
    return np.concatenate([rows[np.clip(index + k, 0, n - 1)] for k in _AROUND], axis=1)


def _deviation(rows: F32) -> F32:
    """Standard deviation per column, never so small that noise would blow up."""
    std = rows.std(axis=0, dtype=np.float64)
    floor = max(1e-3 * float(std.max()), 1e-6)
    return np.maximum(std, floor).astype(np.float32)
