"""Training samples of the neural face renderer, drawn by step number, so that a resumed run repeats them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.core.errors import ShapeError, SubjectError
from lipwright.core.ibug import MOUTH
from lipwright.face.align import apply
from lipwright.render.neural_face.config import NeuralFaceConfig
from lipwright.render.neural_face.geometry import FaceGeometry
from lipwright.render.neural_face.inputs import mask_of, network_input, region_of, signed
from lipwright.render.translation.batch import Batch
from lipwright.render.translation.crop import sample_crop
from lipwright.render.translation.crops import Crops

if TYPE_CHECKING:
    from lipwright.face.morphable.fit import Fit

_POSE_NEAR, _APART = 0.06, 25
"""Swapped surroundings are within 0.06 rad of the frame's pose and at least a second away from it."""


class _Change(NamedTuple):
    """What augmentation does to all pictures of a sample."""

    dx: int = 0
    dy: int = 0
    gain: float = 1.0
    bias: float = 0.0

    def moved(self, picture: U8) -> U8:
        """Shifted by whole pixels; beyond the border it repeats."""
        if not (self.dx or self.dy):
            return picture
        size, x, y = len(picture), abs(self.dx), abs(self.dy)
        wide = cv2.copyMakeBorder(picture, y, y, x, x, cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(wide[y - self.dy :, x - self.dx :][:size, :size])

    def filmed(self, picture: U8) -> U8:
        """Shifted and in another light."""
        moved = self.moved(picture)
        if self.gain == 1.0 and self.bias == 0.0:
            return moved
        table = np.clip(np.arange(256) * self.gain + self.bias + 0.5, 0, 255).astype(np.uint8)
        return np.asarray(table[moved])


class Sample(NamedTuple):
    """One frame, as `Batch` describes it."""

    inputs: F32
    crop: F32
    mask: F32
    around: F32
    mouth: tuple[int, int, int, int]


@dataclass(frozen=True)
class FaceData:
    """A person's lower faces, real and drawn: N frames."""

    crops: Crops
    """N pictures of side S, cut from the frames."""
    drawn: Crops
    """N drawings of the fitted face."""
    marks: Crops
    """N pictures of masks: the mouth's interior in red, the region that may be drawn in green."""
    planes: F32
    """(N, 2, 3) pixels to cm on the head."""
    landmarks: F32
    """(N, 68, 2) in pixels of the square."""
    pose_rad: F32
    """(N, 3)."""
    numbers: NDArray[np.int64]
    """(N,) frame numbers, rising: pictures of consecutive numbers are neighbours in time."""
    geometry: FaceGeometry
    train: NDArray[np.int64]
    """Places of the training frames."""
    validation: NDArray[np.int64]
    """Places of frames held out from training; best-on-validation is chosen on them."""

    def __post_init__(self) -> None:
        count, size = len(self.numbers), self.geometry.size
        for name in ("crops", "drawn", "marks"):
            crops: Crops = getattr(self, name)
            if (len(crops), crops.size) != (count, size):
                raise ShapeError(name, (count, size, size, 3), (len(crops), crops.size, crops.size, 3))
        for name, shape in (("planes", (2, 3)), ("landmarks", (68, 2)), ("pose_rad", (3,))):
            if getattr(self, name).shape != (count, *shape):
                raise ShapeError(name, (count, *shape), getattr(self, name).shape)
        if not len(self.train) or not len(self.validation):
            raise SubjectError("the renderer needs training and validation frames; film longer")

    @classmethod
    def from_frames(
        cls,
        frames: Iterable[U8],
        fit: Fit,
        landmarks_px: F32,
        pose_rad: F32,
        size: tuple[int, int],
        config: NeuralFaceConfig,
        train: NDArray[np.int64],
        validation: NDArray[np.int64],
        numbers: NDArray[np.int64],
    ) -> FaceData:
        """Cut N frames in order and draw their fitted faces; the geometry is measured on training frames only.

        Args:
            frames: (H, W, 3), `size` is (width, height).
            fit: of the same N frames, and so are landmarks (N, 68, 2) and pose (N, 3).
            train, validation: places among the N.
            numbers: (N,) of the frames in the footage.
        """
        from lipwright.render.neural_face.drawing import covered, draw, heads, plane_map

        geometry = FaceGeometry.of(fit, landmarks_px, train, config.size, config.room)
        crops, drawn, marks, planes = [], [], [], []
        places = heads(geometry, landmarks_px, pose_rad, size)
        for frame, head, expression in zip(frames, places, fit.coefficients.expression, strict=True):
            crops.append(Crops.of([sample_crop(frame, head.crop_from_frame, config.size)], config.size))
            drawing, region = draw(geometry, head, expression, config.fade), region_of(covered(geometry, head))
            drawn.append(Crops.of([drawing.rgb8], config.size))
            marks.append(Crops.of([np.stack([drawing.inside, region, 0 * region], 2)], config.size))
            planes.append(plane_map(geometry, head))
        points = apply(geometry.crop_maps(landmarks_px), landmarks_px)
        real, made, masks = (Crops.joined(of) for of in (crops, drawn, marks))
        return cls(real, made, masks, np.stack(planes), points, pose_rad, numbers, geometry, train, validation)

    def mean(self, count: int = 100) -> F32:
        """(3, S, S) in [-1, 1] mean of `count` spread training pictures."""
        places = self.train[np.linspace(0, len(self.train) - 1, min(count, len(self.train))).round().astype(int)]
        return np.asarray(sum(signed(self.crops[int(i)]) for i in places) / np.float32(len(places)), np.float32)

    def batch(self, config: NeuralFaceConfig, seed: int, step: int, rank: int = 0) -> Batch:
        """`config.batch` augmented training samples, the same for the same (seed, step).

        Each has its own random numbers, and process `rank` takes its turn of them.
        """
        draws = (np.random.default_rng((seed, step, rank * config.batch + n)) for n in range(config.batch))
        return collate([self.augmented(config, rng) for rng in draws])

    def plain(self, indices: NDArray[np.int64], config: NeuralFaceConfig) -> Batch:
        """Samples as they are, for validation."""
        return collate([self._sample(int(i), int(i), config, _Change()) for i in indices])

    def runs(self, indices: NDArray[np.int64], count: int, length: int) -> list[NDArray[np.int64]]:
        """Up to `count` runs of `length` consecutive frames, evenly spread over `indices` (shorter ones if need be)."""
        while True:
            first = indices - (length - 1)
            whole = (first >= 0) & (self.numbers[indices] - self.numbers[np.maximum(first, 0)] == length - 1)
            ends = indices[whole & np.isin(first, indices)]
            if len(ends):
                break
            length -= 1
        chosen = ends[np.unique(np.linspace(0, len(ends) - 1, min(count, len(ends))).round().astype(int))]
        return [np.arange(end - length + 1, end + 1) for end in chosen]

    def neighbours(self, i: int, reach: int) -> Sequence[int]:
        """Places of the frames from `reach` before to `reach` after frame `i`; where there is none the last one."""
        found = [i]
        for way in (-1, 1):
            at = i
            for _ in range(reach):
                beside = at + way
                there = 0 <= beside < len(self.numbers) and self.numbers[beside] == self.numbers[at] + way
                at = beside if there else at
                found = [at, *found] if way < 0 else [*found, at]
        return found

    def augmented(self, config: NeuralFaceConfig, rng: np.random.Generator) -> Sample:
        """A training sample: which frame, its surroundings, shift and light are drawn from `rng`."""
        i = int(rng.choice(self.train))
        j = self._partner(i, rng) if config.surround and rng.random() < config.swap else i
        reach = round(config.shift * config.size)
        dx, dy = (int(v) for v in rng.integers(-reach, reach + 1, 2))
        gain, bias = rng.uniform(-1, 1, 2) * config.photometric
        return self._sample(i, j, config, _Change(dx, dy, 1 + float(gain), 255 * float(bias)))

    def _partner(self, i: int, rng: np.random.Generator) -> int:
        """Another training frame of nearly the same pose, or `i` itself when there is none."""
        far = np.abs(self.pose_rad[self.train] - self.pose_rad[i]).max(1)
        fits = self.train[(far < _POSE_NEAR) & (np.abs(self.numbers[self.train] - self.numbers[i]) >= _APART)]
        return int(rng.choice(fits)) if len(fits) else i

    def _sample(self, i: int, j: int, config: NeuralFaceConfig, change: _Change) -> Sample:
        """The lower face of frame `i` in the surroundings of frame `j`."""
        drawings = [change.moved(self.drawn[k]) for k in self.neighbours(i, config.reach)]
        inside, region = (np.ascontiguousarray(change.moved(self.marks[i])[..., k]) for k in (0, 1))
        crop, around = change.filmed(self.crops[i]), change.filmed(self.crops[j])
        plane = self.planes[i].copy()
        plane[:, 2] -= plane[:, :2] @ np.array([change.dx, change.dy], np.float32)
        inputs = network_input(config, drawings, inside, plane, around, region)
        return Sample(inputs, signed(crop), mask_of(region)[None], signed(around), self._mouth(i, change))

    def _mouth(self, i: int, change: _Change) -> tuple[int, int, int, int]:
        """(left, top, width, height) of the mouth box, inside the square."""
        width, height = self.geometry.mouth_box()
        moved = np.array([change.dx - width / 2, change.dy - height / 2])
        corner = np.round(self.landmarks[i][MOUTH].mean(0) + moved).astype(int)
        left, top = np.clip(corner, 0, (self.geometry.size - width, self.geometry.size - height))
        return int(left), int(top), width, height


def collate(samples: list[Sample]) -> Batch:
    """Samples whose mouth boxes have one size, as a batch."""
    inputs, crop, mask, around = (
        torch.from_numpy(np.stack(arrays)) for arrays in list(zip(*(s[:4] for s in samples), strict=True))
    )
    target = crop * mask + around * (1 - mask)
    return Batch(inputs, target, mask, around, [s.mouth for s in samples], mask)
