"""Training samples of the oracle: drawn by step number, so that a resumed run repeats them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.errors import ShapeError, SubjectError
from lipwright.core.ibug import JAW, MOUTH
from lipwright.face.align import apply
from lipwright.render.head import HeadGeometry
from lipwright.render.oracle.config import OracleConfig
from lipwright.render.oracle.drawing import head_drawing, mouth_areas, mouth_drawing
from lipwright.render.translation.crop import sample_crop
from lipwright.render.translation.crops import Crops
from lipwright.render.translation.facial_map import grow

_LIP_RIM = 0.03
"""Of a mouth picture's side: skin around the lips that counts with them."""


@dataclass(frozen=True)
class MouthBatch:
    """B mouths."""

    drawing: Tensor
    """(B, 3, M, M) in [0, 1]."""
    target: Tensor
    """(B, 3, M, M) in [-1, 1], cut from the frame."""
    weight: Tensor
    """(B, 1, M, M) of each pixel in the reconstruction."""

    def to(self, device: torch.device, layout: torch.memory_format) -> MouthBatch:
        """On a device."""
        parts = (self.drawing, self.target, self.weight)
        return MouthBatch(*(x.to(device, memory_format=layout, non_blocking=True) for x in parts))


@dataclass(frozen=True)
class HeadBatch:
    """B heads and their mouths."""

    drawing: Tensor
    """(B, 3, S, S) in [0, 1]."""
    target: Tensor
    """(B, 3, S, S) in [-1, 1]."""
    weight: Tensor
    """(B, 1, S, S) 1, and more on the mouth."""
    mouth: MouthBatch
    generated: Tensor
    """(B,) whether the head is learnt around the generated mouth, else around the real one."""

    def to(self, device: torch.device, layout: torch.memory_format) -> HeadBatch:
        """On a device."""
        drawing, target, weight = (
            x.to(device, memory_format=layout, non_blocking=True) for x in (self.drawing, self.target, self.weight)
        )
        return HeadBatch(drawing, target, weight, self.mouth.to(device, layout), self.generated.to(device))


@dataclass(frozen=True)
class OracleData:
    """A person's heads and mouths, both cut from the frames."""

    heads: Crops
    """N heads of side S."""
    mouths: Crops
    """N mouths of side M with `room` more pixels on every side."""
    track: FaceTrack
    """Of the N frames, in frame pixels."""
    outlines: F32
    """(N, R, 2) head contour in head-crop pixels."""
    geometry: HeadGeometry
    mouth_size: int
    """M."""
    train: NDArray[np.int64]
    """Indices for training."""
    validation: NDArray[np.int64]
    """Indices held out from training."""

    def __post_init__(self) -> None:
        count = len(self.track)
        if {len(self.heads), len(self.mouths), len(self.outlines)} != {count}:
            raise ShapeError("heads, mouths, outlines", (count,) * 3,
                             (len(self.heads), len(self.mouths), len(self.outlines)))  # fmt: skip
        if not len(self.train) or not len(self.validation):
            raise SubjectError("the oracle needs training and validation frames; film longer")

    @classmethod
    def from_frames(
        cls,
        frames: Iterable[U8],
        track: FaceTrack,
        outlines_px: F32,
        config: OracleConfig,
        train: NDArray[np.int64],
        validation: NDArray[np.int64],
    ) -> OracleData:
        """Cut heads and mouths from N frames in order, one at a time; the geometry is fitted on the training frames.

        Args: `track` of these frames; `outlines_px` (N, R, 2) in frame pixels (face.contour.outline_px).
        """
        geometry = HeadGeometry.fit(track.landmarks_px[train], track.pose_rad[train], config.size)
        size = geometry.native(config.mouth.size)
        maps = geometry.head_maps(track.landmarks_px)
        room = _room(size, config)
        mouth_maps = geometry.mouth_maps(track.landmarks_px, size)
        mouth_maps[..., 2] += room
        heads, mouths = [], []
        for frame, head, mouth in zip(frames, maps, mouth_maps, strict=True):
            heads.append(Crops.of([sample_crop(frame, head, config.size)], config.size))
            mouths.append(Crops.of([sample_crop(frame, mouth, size + 2 * room)], size + 2 * room))
        return cls(
            Crops.joined(heads),
            Crops.joined(mouths),
            track,
            apply(maps, outlines_px),
            geometry,
            size,
            train,
            validation,
        )

    @cached_property
    def landmarks(self) -> F32:
        """(N, 68, 2) in head-crop pixels."""
        points = self.track.landmarks_px
        return apply(self.geometry.head_maps(points), points)

    def held_out(self, count: int) -> NDArray[np.int64]:
        """So many of the held-out frames, evenly spread; all where there are fewer."""
        of = self.validation
        return np.asarray(of[np.unique(np.linspace(0, len(of) - 1, min(count, len(of))).round().astype(int))])

    @property
    def room(self) -> int:
        """Pixels of a mouth cut around the mouth picture."""
        return (self.mouths.size - self.mouth_size) // 2

    def mouth_landmarks(self, landmarks: F32) -> F32:
        """(…, 68, 2) head-crop pixels to pixels of the mouth picture."""
        return apply(self.geometry.mouth_from_head(self.mouth_size), landmarks)

    def mouth(self, index: int) -> U8:
        """(M, M, 3) the real mouth picture."""
        room = self.room
        return np.ascontiguousarray(self.mouths[index][room : room + self.mouth_size, room : room + self.mouth_size])

    def mouth_batch(self, config: OracleConfig, seed: int, step: int, rank: int = 0) -> MouthBatch:
        """Augmented training mouths: the same for the same (seed, step)."""
        draws = _draws(seed, step, rank, config.mouth.batch)
        return _stacked([self._augmented_mouth(config, rng) for rng in draws])

    def head_batch(self, config: OracleConfig, seed: int, step: int, rank: int = 0) -> HeadBatch:
        """Augmented training heads: the same for the same (seed, step)."""
        draws = _draws(seed, step, rank, config.head.batch)
        chosen = [int(rng.choice(self.train)) for rng in draws]
        points = [_jittered(self.landmarks[i], config.head.jitter_px * config.size / 256, rng)
                  for i, rng in zip(chosen, draws, strict=True)]  # fmt: skip
        generated = [rng.random() < config.generated_mouths for rng in draws]
        return self._heads(chosen, points, config, generated)

    def plain(self, indices: NDArray[np.int64], config: OracleConfig) -> HeadBatch:
        """Frames as they are, for validation."""
        chosen = [int(i) for i in indices]
        return self._heads(chosen, [self.landmarks[i] for i in chosen], config, [True] * len(chosen))

    def _heads(self, chosen: list[int], points: list[F32], config: OracleConfig, generated: list[bool]) -> HeadBatch:
        size = config.size
        drawings = [head_drawing(p, self.outlines[i], size, config.soft) for i, p in zip(chosen, points, strict=True)]
        targets = [signed(self.heads[i]) for i in chosen]
        weights = [_lip_weight(p, size, config.head.mouth_weight) for p in points]
        mouths = [self._mouth(i, p, 0, 0, config) for i, p in zip(chosen, points, strict=True)]
        drawing, target, weight = _tensors(drawings, targets, weights)
        return HeadBatch(drawing, target, weight, _stacked(mouths), torch.tensor(generated))

    def _augmented_mouth(self, config: OracleConfig, rng: np.random.Generator) -> tuple[F32, F32, F32]:
        i = int(rng.choice(self.train))
        room = self.room
        dx, dy = (int(v) for v in rng.integers(-room, room + 1, 2))
        points = _jittered(self.landmarks[i], config.mouth.jitter_px * config.size / 256, rng)
        return self._mouth(i, points, dx, dy, config)

    def _mouth(self, i: int, points: F32, dx: int, dy: int, config: OracleConfig) -> tuple[F32, F32, F32]:
        """Drawing, target and weight of mouth `i` drawn at head-crop `points`, moved by whole pixels."""
        size, room = self.mouth_size, self.room
        drawn = self.mouth_landmarks(points) + np.array([dx, dy], np.float32)
        target = self.mouths[i][room - dy : room - dy + size, room - dx : room - dx + size]
        return mouth_drawing(drawn, size, config.soft), signed(target), _lip_weight(drawn, size, config.lip_weight)


def signed(rgb8: U8) -> F32:
    """(H, W, 3) uint8 to (3, H, W) in [-1, 1]."""
    return rgb8.transpose(2, 0, 1).astype(np.float32) * np.float32(2 / 255) - 1


def _room(mouth_size: int, config: OracleConfig) -> int:
    """Whole-pixel shifts show what the frame shows there, not a repeated border."""
    return round(config.mouth.shift * mouth_size)


def _draws(seed: int, step: int, rank: int, batch: int) -> list[np.random.Generator]:
    return [np.random.default_rng((seed, step, rank * batch + n)) for n in range(batch)]


def _jittered(points: F32, sigma: float, rng: np.random.Generator) -> F32:
    """A mashed mouth is off as a whole first, point by point second; the jaw may disagree with it more."""
    moved = points.copy()
    for group, share in ((MOUTH, 0.7), (JAW, 1.5)):
        moved[group] += rng.normal(0, sigma * share, 2) + rng.normal(0, sigma * 0.35, (len(group), 2))
    return moved


def _lip_weight(points: F32, size: int, weight: float) -> F32:
    """(1, size, size) `weight` on lips and mouth and a rim around them, 1 elsewhere."""
    lips = grow(mouth_areas(points, size)[0], _LIP_RIM * size)
    soft = cv2.blur(lips, (5, 5)).astype(np.float32) * np.float32(1 / 255)
    return 1 + (weight - 1) * soft[None]


def _stacked(mouths: list[tuple[F32, F32, F32]]) -> MouthBatch:
    return MouthBatch(*_tensors(*(list(part) for part in zip(*mouths, strict=True))))


def _tensors(*parts: list[F32]) -> list[Tensor]:
    return [torch.from_numpy(np.stack(part)) for part in parts]
