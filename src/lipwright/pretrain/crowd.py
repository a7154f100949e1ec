"""Training samples of many people, each time in other colours and half of the time mirrored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import U8
from lipwright.render.neural_face.config import NeuralFaceConfig
from lipwright.render.neural_face.data import FaceData, collate
from lipwright.render.neural_face.geometry import FaceGeometry
from lipwright.render.translation.batch import Batch
from lipwright.render.translation.crops import Crops

_GAMMA, _GAMMA_EACH = 0.45, 0.2
"""Greatest logarithm of the exponent that all channels share, and of each channel's own."""
_GAIN, _BIAS = (0.8, 1.1), 0.03
_PERSON = 77
"""Of the random numbers that choose who is looked at."""


@dataclass(frozen=True)
class Disguise:
    """What makes another person of one."""

    table: U8
    """(3, 256) levels of every channel by level."""
    mirrored: bool

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Disguise:
        """Skin of another shade in another light."""
        shared, level = rng.uniform(-_GAMMA, _GAMMA), np.arange(256) / 255
        exponent = np.exp(shared + rng.uniform(-_GAMMA_EACH, _GAMMA_EACH, 3))[:, None]
        changed = rng.uniform(*_GAIN, 3)[:, None] * level**exponent + rng.uniform(-_BIAS, _BIAS, 3)[:, None]
        return cls(np.clip(255 * changed + 0.5, 0, 255).astype(np.uint8), bool(rng.random() < 0.5))

    def of(self, data: FaceData) -> FaceData:
        """The person in disguise; nothing is copied before it is looked at."""
        planes, landmarks, last = data.planes, data.landmarks, data.geometry.size - 1
        if self.mirrored:
            planes, landmarks = planes.copy(), landmarks.copy()
            planes[:, :, 2] += last * planes[:, :, 0]
            planes[:, :, 0] *= -1
            planes[:, 0] *= -1  # across the head: the other way
            landmarks[..., 0] = last - landmarks[..., 0]
        return replace(
            data,
            crops=self._seen(data.crops, self.table),
            drawn=self._seen(data.drawn, self.table),
            marks=self._seen(data.marks, None),
            planes=planes,
            landmarks=landmarks,
        )

    def _seen(self, crops: Crops, table: U8 | None) -> Crops:
        return _Disguised(crops.coded, crops.offsets, crops.size, table, self.mirrored)


@dataclass(frozen=True)
class _Disguised(Crops):
    """Pictures that are changed whenever one is looked at."""

    table: U8 | None = None
    mirrored: bool = False

    def __getitem__(self, index: int) -> U8:
        picture = super().__getitem__(index)
        if self.mirrored:
            picture = np.ascontiguousarray(picture[:, ::-1])
        if self.table is None:
            return picture
        return np.stack([self.table[k][picture[..., k]] for k in range(3)], axis=2)


class Crowd:
    """Many people to learn from, and one more to be judged by.

    Args:
        people: who is learnt from, all packed for one size.
        judged: of whom held-out frames choose the weights that are kept.
    """

    def __init__(self, people: Sequence[FaceData], judged: FaceData) -> None:
        self._people, self._judged = people, judged

    @property
    def geometry(self) -> FaceGeometry:
        """Of the one that is judged by."""
        return self._judged.geometry

    @property
    def train(self) -> NDArray[np.int64]:
        """Places of the frames learnt from, of the one that is judged by."""
        return self._judged.train

    @property
    def validation(self) -> NDArray[np.int64]:
        """Places of the frames held out, of the one that is judged by."""
        return self._judged.validation

    def batch(self, config: NeuralFaceConfig, seed: int, step: int, rank: int = 0) -> Batch:
        """`config.batch` samples of one person in as many disguises, the same for the same (seed, step).

        One person a batch, because mouth boxes are a person's own.
        """
        chosen = np.random.default_rng((seed, step, rank, _PERSON)).integers(len(self._people))
        samples = []
        for n in range(config.batch):
            rng = np.random.default_rng((seed, step, rank * config.batch + n))
            samples.append(Disguise.drawn(rng).of(self._people[int(chosen)]).augmented(config, rng))
        return collate(samples)

    def plain(self, indices: NDArray[np.int64], config: NeuralFaceConfig) -> Batch:
        """See `FaceData.plain`."""
        return self._judged.plain(indices, config)

    def runs(self, indices: NDArray[np.int64], count: int, length: int) -> list[NDArray[np.int64]]:
        """See `FaceData.runs`."""
        return self._judged.runs(indices, count, length)

    def mean(self) -> np.ndarray:
        """See `FaceData.mean`."""
        return self._judged.mean()
