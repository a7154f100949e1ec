"""Training data of the cross-modal renderer: real pictures, and numbered steps of real and synthetic samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.core.errors import ShapeError, SubjectError
from lipwright.face.align import apply
from lipwright.render.crossmodal.batch import Batch
from lipwright.render.crossmodal.change import Change
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.pairs import PicturePairs
from lipwright.render.crossmodal.strokes import strokes
from lipwright.render.head import HeadGeometry
from lipwright.render.translation.crop import sample_crop
from lipwright.render.translation.crops import Crops


class _Sample(NamedTuple):
    """One picture pair, as `Batch` describes it."""

    strokes: F32
    speech: F32
    head: F32
    mouth: F32
    known: F32
    head_weight: F32
    weight: F32
    place: NDArray[np.int64]


@dataclass(frozen=True)
class CrossModalData:
    """A person's head and mouth pictures, what was said in them, and their tracks: N frames."""

    head: Crops
    """N head pictures of side S."""
    mouth: Crops
    """N mouth pictures of side S, cut from the frames themselves."""
    landmarks: F32
    """(N, 68, 2) in head-crop pixels."""
    outline: F32
    """(N, R, 2) head outline in head-crop pixels."""
    pose_rad: F32
    """(N, 3)."""
    speech: F32
    """(N, window, k) what is heard around each frame."""
    geometry: HeadGeometry
    train: NDArray[np.int64]
    """Places of the training frames."""
    validation: NDArray[np.int64]
    """Places of frames held out from training; best-on-validation is chosen on them."""

    def __post_init__(self) -> None:
        count, size = len(self.head), self.geometry.size
        for name, crops in (("head", self.head), ("mouth", self.mouth)):
            if (len(crops), crops.size) != (count, size):
                raise ShapeError(name, (count, size, size, 3), (len(crops), crops.size, crops.size, 3))
        for name, wanted in (("landmarks", (68, 2)), ("outline", ("R", 2)), ("pose_rad", (3,)), ("speech", ("W", "k"))):
            shape = getattr(self, name).shape
            fits = shape[:1] == (count,) and len(shape) == len(wanted) + 1
            if not fits or any(isinstance(w, int) and w != s for w, s in zip(wanted, shape[1:], strict=True)):
                raise ShapeError(name, (count, *wanted), shape)
        if not len(self.train) or not len(self.validation):
            raise SubjectError("the renderer needs training and validation frames; film longer")

    @classmethod
    def from_frames(
        cls,
        frames: Iterable[U8],
        landmarks_px: F32,
        outline_px: F32,
        pose_rad: F32,
        speech: F32,
        size: int,
        train: NDArray[np.int64],
        validation: NDArray[np.int64],
    ) -> CrossModalData:
        """Cut both pictures from N frames in order; the geometry is fitted on the training frames only.

        Args: `outline_px` (N, R, 2) is of face.contour.outline_px, in frame pixels; the rest as in the class.
        """
        geometry = HeadGeometry.fit(landmarks_px[train], pose_rad[train], size)
        maps, mouth_maps = geometry.head_maps(landmarks_px), geometry.mouth_maps(landmarks_px, size)
        cut = [
            [Crops.of([sample_crop(frame, affine, size)], size) for affine in both]
            for frame, *both in zip(frames, maps, mouth_maps, strict=True)
        ]
        heads, mouths = (Crops.joined(pictures) for pictures in zip(*cut, strict=True))
        points, outline = apply(maps, landmarks_px), apply(maps, outline_px)
        return cls(heads, mouths, points, outline, pose_rad, speech, geometry, train, validation)

    def mean(self, count: int = 100) -> tuple[F32, F32]:
        """Mean head and mouth picture (S, S, 3) in [0, 255] of `count` spread training frames."""
        frames = self.train[np.linspace(0, len(self.train) - 1, min(count, len(self.train))).round().astype(int)]
        head, mouth = (np.zeros((crops.size, crops.size, 3), np.float64) for crops in (self.head, self.mouth))
        for i in frames:
            head += self.head[int(i)]
            mouth += self.mouth[int(i)]
        return (head / len(frames)).astype(np.float32), (mouth / len(frames)).astype(np.float32)

    def batch(self, config: CrossModalConfig, pairs: PicturePairs | None, seed: int, step: int, rank: int = 0) -> Batch:
        """`config.batch` training samples, the same for the same (seed, step).

        Each has its own random numbers, and process `rank` takes its turn of them. With probability
        `config.synthetic` it is one of `pairs` (augmentation 'ours'), else a real training frame.
        """
        draws = (np.random.default_rng((seed, step, rank * config.batch + n)) for n in range(config.batch))
        return _collate([self._drawn(config, pairs, rng) for rng in draws])

    def plain(self, indices: NDArray[np.int64], config: CrossModalConfig) -> Batch:
        """Real frames as they are, for validation."""
        still, weight = Change.none(), config.lip_weight
        return _collate([self._sample(int(i), p, p, *self._real(int(i)), still, weight)
                         for i, p in zip(indices, self.landmarks[indices], strict=True)])  # fmt: skip

    def _drawn(self, config: CrossModalConfig, pairs: PicturePairs | None, rng: np.random.Generator) -> _Sample:
        synthetic = rng.random() < config.synthetic
        change = Change.drawn(config, rng)
        if config.augmentation == "ours" and synthetic and pairs is not None:
            n = int(rng.integers(len(pairs)))
            i, j, pictures, shown = (
                int(pairs.i[n]),
                int(pairs.j[n]),
                (pairs.head[n], pairs.mouth[n]),
                pairs.landmarks[n],
            )
        else:
            i = j = int(rng.choice(self.train))
            pictures, shown = (self.head[i], self.mouth[i]), self.landmarks[i]
        points = self.landmarks[j]
        if config.augmentation == "ours":
            sigma = config.jitter_px * config.size / 256
            points = points + rng.normal(0, sigma, points.shape).astype(np.float32)
        return self._sample(i, points, shown, self.outline[j], *pictures, change, config.lip_weight)

    def _real(self, i: int) -> tuple[F32, U8, U8]:
        return self.outline[i], self.head[i], self.mouth[i]

    def _sample(
        self,
        place: int,
        points: F32,
        shown: F32,
        outline: F32,
        head: U8,
        mouth: U8,
        change: Change,
        lip_weight: float,
    ) -> _Sample:
        """What frame `place` says; strokes of `points`; pictures in which the mouth is at `shown`."""
        size = self.geometry.size
        seen = strokes(change.points(points), change.points(outline), size)
        moved, known = change.mouth(mouth, self.geometry.mouth_from_head(size))
        at = change.points(shown)
        weights: list[F32] = []
        for box in (self.geometry.mouth_in_head(at), self.geometry.mouth_box(at, size)):
            weights.append(np.ones((1, size, size), np.float32))
            weights[-1][0][box] = lip_weight
        head_weight, weight = weights
        told = self.speech[place], _signed(change.head(head)), _signed(moved), known[None]
        return _Sample(seen, *told, head_weight, weight, np.array(place))


def _collate(samples: list[_Sample]) -> Batch:
    return Batch(*(torch.from_numpy(np.stack(arrays)) for arrays in zip(*samples, strict=True)))


def _signed(picture: U8) -> F32:
    """(S, S, 3) uint8 to (3, S, S) in [-1, 1]."""
    return picture.transpose(2, 0, 1).astype(np.float32) * np.float32(2 / 255) - 1
