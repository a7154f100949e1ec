"""What a motion model learns from: stretches of one person with speech features and landmarks.

Splits are by stretch, never by frame: the last part is for validation, with a gap before it that is used by
neither, because neighbouring frames are near duplicates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from lipwright.core.clock import FPS
from lipwright.core.contracts import F32, Conditions
from lipwright.core.errors import ShapeError, SubjectError
from lipwright.motion.normalise import cheeks, normalise, production_scale, targets
from lipwright.speech.features import features_of

MIN_FRAMES = 64


@dataclass(frozen=True)
class MotionClip:
    """T consecutive frames."""

    features: Mapping[str, F32]
    """name -> (rate·T, dim)."""
    landmarks: F32
    """(T, 29, 2) normalised mouth and jaw."""
    conditions: Conditions
    """Pose and cheeks of the same frames."""
    weight: F32
    """(T,) tracker confidence: 0 where no face was seen."""
    scale_px: float = 1.0
    """Pixels per normalised unit, for scores in pixels."""

    def __len__(self) -> int:
        return len(self.landmarks)

    def part(self, start: int, stop: int) -> MotionClip:
        """Frames [start, stop)."""
        cut = {}
        for name, rows in self.features.items():
            rate = len(rows) // len(self)
            cut[name] = rows[rate * start : rate * stop]
        held = Conditions(self.conditions.pose_rad[start:stop], self.conditions.cheeks[start:stop])
        return MotionClip(cut, self.landmarks[start:stop], held, self.weight[start:stop], self.scale_px)

    @classmethod
    def from_track(
        cls,
        landmarks_px: F32,
        pose_rad: F32,
        confidence: F32,
        samples: F32,
        features: Sequence[str],
        start_frame: int = 0,
    ) -> MotionClip:
        """A clip from a face track at 25 fps and the speech of the same video.

        Args:
            landmarks_px: (T, 68, 2) pixels; pose_rad: (T, 3); confidence: (T,).
            samples: (S,) float32, 16 kHz, sample 0 = time 0 of the video.
            features: names of speech features to compute.
            start_frame: index in the video of the first frame given.
        """
        n = len(landmarks_px)
        if pose_rad.shape != (n, 3):
            raise ShapeError("pose_rad", (n, 3), pose_rad.shape)
        if confidence.shape != (n,):
            raise ShapeError("confidence", (n,), confidence.shape)
        scale = production_scale(landmarks_px, confidence)
        points = normalise(landmarks_px, scale)
        return cls(
            features_of(samples, features, n, start_frame),
            targets(points),
            Conditions(pose_rad.astype(np.float32), cheeks(points)),
            confidence.astype(np.float32),
            scale,
        )


@dataclass(frozen=True)
class MotionData:
    """Training and validation stretches."""

    train: Sequence[MotionClip]
    validation: Sequence[MotionClip] = field(default_factory=tuple)

    @property
    def names(self) -> tuple[str, ...]:
        """Speech features that every stretch carries."""
        return tuple(self.train[0].features)

    @classmethod
    def split(
        cls, clips: Sequence[MotionClip], validation: Fraction = Fraction(1, 8), gap_s: Fraction = Fraction(1)
    ) -> MotionData:
        """Split by time: the last `validation` share of all frames, with `gap_s` dropped before it.

        SubjectError when fewer than 64 frames are left to learn from.
        """
        total = sum(len(c) for c in clips)
        wanted, gap = int(total * validation), int(gap_s * FPS)
        train, held = list(clips), list[MotionClip]()
        while wanted > 0 and train:
            last = train.pop()
            if len(last) <= wanted:
                held.insert(0, last)
                wanted -= len(last)
                continue
            cut = len(last) - wanted
            held.insert(0, last.part(cut, len(last)))
            if cut - gap > 0:
                train.append(last.part(0, cut - gap))
            wanted = 0
        train = [c for c in train if len(c) >= MIN_FRAMES]
        if not train:
            raise SubjectError(
                f"{total} frames leave no stretch of {MIN_FRAMES} to learn from; use footage of at least 5 s"
            )
        return cls(tuple(train), tuple(c for c in held if len(c) > 1))
