"""Training samples of the translation renderer: drawn by step number, so that a resumed run repeats them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.core.errors import ShapeError, SubjectError
from lipwright.core.ibug import JAW, MOUTH, MOUTH_JAW
from lipwright.face.align import apply, zoom
from lipwright.render.translation.batch import Batch
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.crop import sample_crop
from lipwright.render.translation.crops import Crops
from lipwright.render.translation.facial_map import (
    draw_lines,
    network_input,
    template_conditions,
    wanted_landmarks,
)
from lipwright.render.translation.geometry import TranslationGeometry
from lipwright.render.translation.masks import kept_mask, patch_mask

_POSE_NEAR = 0.06
_APART = 25
"""A swapped template is within 0.06 rad of the frame's pose and at least a second away from it."""


@dataclass(frozen=True)
class _Change:
    """What augmentation does to both pictures of a sample."""

    gain: float = 1.0
    bias: float = 0.0
    dx: int = 0
    dy: int = 0

    def apply(self, crop: U8) -> U8:
        """Shift by whole pixels (resampling would blur what must be learned sharp), then brightness."""
        if self.dx or self.dy:
            size, x, y = len(crop), abs(self.dx), abs(self.dy)
            padded = np.pad(crop, ((y, y), (x, x), (0, 0)), mode="edge")
            crop = padded[y - self.dy :, x - self.dx :][:size, :size]
        if self.gain == 1.0 and self.bias == 0.0:
            return np.ascontiguousarray(crop)
        table = np.clip(np.arange(256) * self.gain + self.bias + 0.5, 0, 255).astype(np.uint8)
        return np.asarray(table[crop])


class _Sample(NamedTuple):
    """One frame, as `Batch` describes it."""

    inputs: F32
    crop: F32
    mask: F32
    around: F32
    mouth: tuple[int, int, int, int]
    kept: F32


@dataclass(frozen=True)
class TranslationData:
    """A person's aligned crops and tracks."""

    crops: Crops
    """N pictures of side S."""
    landmarks: F32
    """(N, 68, 2) in crop pixels."""
    pose_rad: F32
    """(N, 3)."""
    geometry: TranslationGeometry
    train: NDArray[np.int64]
    """Indices for training."""
    validation: NDArray[np.int64]
    """Indices held out from training; best-on-validation is chosen on them."""
    numbers: NDArray[np.int64] | None = None
    """(N,) frame numbers, rising: crops of consecutive numbers are neighbours in time. None: all are."""
    zooms: F32 | None = None
    """(N,) crop pixels per frame pixel; None: 1."""

    def __post_init__(self) -> None:
        size = self.geometry.size
        if self.crops.size != size:
            raise ShapeError("crops", ("N", size, size, 3), (len(self.crops), self.crops.size, self.crops.size, 3))
        if self.landmarks.shape != (len(self.crops), 68, 2):
            raise ShapeError("landmarks", (len(self.crops), 68, 2), self.landmarks.shape)
        if not len(self.train) or not len(self.validation):
            raise SubjectError("the renderer needs training and validation frames; film longer")

    @classmethod
    def from_frames(
        cls,
        frames: Iterable[U8],
        landmarks_px: F32,
        pose_rad: F32,
        config: TranslationConfig,
        train: NDArray[np.int64],
        validation: NDArray[np.int64],
        numbers: NDArray[np.int64] | None = None,
    ) -> TranslationData:
        """Cut crops from N frames in order; the geometry is fitted on the training frames only."""
        geometry = TranslationGeometry.fit(landmarks_px[train], pose_rad[train], config.mode, config.size)
        maps = geometry.crop_maps(landmarks_px)
        zooms = np.array([zoom(affine) for affine in maps], np.float32)
        cut = (sample_crop(frame, affine, config.size) for frame, affine in zip(frames, maps, strict=True))
        crops = Crops.of(cut, config.size)
        return cls(crops, apply(maps, landmarks_px), pose_rad, geometry, train, validation, numbers, zooms)

    def stretch(self, config: TranslationConfig, seed: int, step: int, rank: int = 0) -> list[Batch]:
        """`config.sample_frames` consecutive frames of `config.batch` augmented training samples, oldest first.

        The same for the same (seed, step). Each sample has its own random numbers, and process `rank` takes its turn
        of them: two processes with one sample each see what one process with two would.
        """
        ends = self._ends(self.train, config.sample_frames)
        if not len(ends):
            raise SubjectError(
                f"no {config.sample_frames} consecutive frames show the face; film longer, or train without "
                "temporal inputs and temporal discriminator"
            )
        draws = [np.random.default_rng((seed, step, rank * config.batch + n)) for n in range(config.batch)]
        drawn = [self._augmented(int(rng.choice(ends)), ends, config, rng) for rng in draws]
        return [self._collate(list(samples)) for samples in zip(*drawn, strict=True)]

    def plain(self, indices: NDArray[np.int64], config: TranslationConfig) -> Batch:
        """Samples as they are, for validation."""
        return self._collate([self._sample(int(i), int(i), self.landmarks[i], config) for i in indices])

    def plain_run(self, indices: NDArray[np.int64], config: TranslationConfig) -> list[Batch]:
        """Consecutive frames as they are, one batch of one for each, in order."""
        own = [int(i) for i in indices]
        points = [self.landmarks[i] for i in (*own, self._after(own[-1]))]
        return [self._collate([sample]) for sample in self._consecutive(own, own, points, config, _Change())]

    def runs(self, indices: NDArray[np.int64], count: int, length: int) -> list[NDArray[np.int64]]:
        """Up to `count` runs of `length` consecutive frames, evenly spread over `indices` (shorter ones if need be)."""
        while not len(ends := self._ends(indices, length)):
            length -= 1
        chosen = ends[np.unique(np.linspace(0, len(ends) - 1, min(count, len(ends))).round().astype(int))]
        return [np.arange(end - length + 1, end + 1) for end in chosen]

    def _ends(self, indices: NDArray[np.int64], length: int) -> NDArray[np.int64]:
        """Those of `indices` that end a stretch of `length` frames, consecutive in time and all among `indices`."""
        if length == 1:
            return indices
        numbers = np.arange(len(self.crops)) if self.numbers is None else self.numbers
        first = indices - (length - 1)
        whole = (first >= 0) & (numbers[indices] - numbers[np.maximum(first, 0)] == length - 1)
        return np.asarray(indices[whole & np.isin(first, indices)])

    def _after(self, i: int) -> int:
        """The frame after `i`, or `i` where there is none."""
        following = min(i + 1, len(self.crops) - 1)
        return following if self.numbers is None or self.numbers[following] == self.numbers[i] + 1 else i

    def _augmented(
        self, i: int, ends: NDArray[np.int64], config: TranslationConfig, rng: np.random.Generator
    ) -> list[_Sample]:
        """The frames up to `i`, changed alike: shift, light and the error of the mouth as a whole last longer."""
        count = config.sample_frames
        j = self._partner(i, ends, rng) if config.mode == "sewn" and rng.random() < config.swap else i
        frames = [i - count + 1 + k for k in range(count)]
        drawn = [*frames, self._after(i)] if config.temporal_inputs else frames
        sigma = config.jitter_px * config.size / 256
        points = self.landmarks[drawn].copy()
        for group in (MOUTH, JAW):  # a predicted mouth is off as a whole first, point by point second
            whole = rng.normal(0, sigma, 2) * 0.7
            points[:, group] += whole + rng.normal(0, sigma * 0.35, (len(drawn), len(group), 2))
        gain, bias = rng.uniform(-1, 1, 2) * config.photometric
        reach = round(config.shift * config.size)
        dx, dy = (int(v) for v in rng.integers(-reach, reach + 1, 2))
        change = _Change(1 + gain, 255 * bias, dx, dy)
        return self._consecutive(frames, [f + j - i for f in frames], list(points), config, change)

    def _partner(self, i: int, ends: NDArray[np.int64], rng: np.random.Generator) -> int:
        """Another training frame of nearly the same pose, or `i` itself when there is none."""
        far = np.abs(self.pose_rad[ends] - self.pose_rad[i]).max(1)
        fits = ends[(far < _POSE_NEAR) & (np.abs(ends - i) >= _APART)]
        return int(rng.choice(fits)) if len(fits) else i

    def _consecutive(
        self, own: list[int], around: list[int], points: list[F32], config: TranslationConfig, change: _Change
    ) -> list[_Sample]:
        """Samples of frames in a row; `points` holds one more for the lines after the last (`temporal_inputs`)."""
        pairs = zip(own, around, points[: len(own)], strict=True)
        samples = [self._sample(i, j, drawn, config, change) for i, j, drawn in pairs]
        if not config.temporal_inputs:
            return samples
        lines = [s.inputs[0] for s in samples]
        offset = np.array([change.dx, change.dy], np.float32)
        drawn = wanted_landmarks(self.landmarks[self._after(around[-1])] + offset, points[-1][MOUTH_JAW] + offset)
        lines.append(draw_lines(drawn, config.size) * np.float32(1 / 255))
        empty = np.zeros((3, config.size, config.size), np.float32)
        return [
            s._replace(inputs=np.concatenate([s.inputs, lines[max(k - 1, 0)][None], lines[k + 1][None], empty]))
            for k, s in enumerate(samples)
        ]

    def _sample(self, i: int, j: int, points: F32, config: TranslationConfig, change: _Change | None = None) -> _Sample:
        """Mouth and jaw of frame `i` (drawn at `points`) in the surroundings of frame `j`."""
        size, sewn = config.size, config.mode == "sewn"
        change = change or _Change()
        offset = np.array([change.dx, change.dy], np.float32)
        polygon = self.geometry.hulls(self.pose_rad[j : j + 1])[0] + offset
        crop, around = change.apply(self.crops[i]), change.apply(self.crops[j])
        conditions = template_conditions(around, polygon, 1.0 if self.zooms is None else float(self.zooms[j]))
        drawn = wanted_landmarks(self.landmarks[j] + offset, points[MOUTH_JAW] + offset)
        inputs = network_input(drawn, conditions, sewn, config.edges)
        own = self.landmarks[j] + offset
        mask = patch_mask(conditions.hull, drawn, own, config) if sewn else np.ones((size, size), np.float32)
        width, height = self.geometry.mouth_box()
        centre = self.landmarks[i][MOUTH].mean(0)
        corner = np.round(centre - (width / 2, height / 2)).astype(int) + offset.astype(int)
        left, top = np.clip(corner, 0, (size - width, size - height))
        kept = kept_mask(conditions.hull, drawn, config) if config.temporal_inputs else mask
        box = int(left), int(top), width, height
        return _Sample(inputs, _signed(crop), mask[None], _signed(around), box, kept[None])

    @staticmethod
    def _collate(samples: list[_Sample]) -> Batch:
        *arrays, mouth, last = zip(*samples, strict=True)
        inputs, crop, mask, outside, kept = (torch.from_numpy(np.stack(array)) for array in (*arrays, last))
        target = crop * mask + outside * (1 - mask)
        return Batch(inputs, target, mask, outside, list(mouth), kept)


def _signed(crop: U8) -> F32:
    return crop.transpose(2, 0, 1).astype(np.float32) * np.float32(2 / 255) - 1
