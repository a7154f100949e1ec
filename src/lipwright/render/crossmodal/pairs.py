"""The synthetic set: what the oracle drew for the speech of one frame on the head of another."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from lipwright.core.checkpoint import load_tensors, save_tensors
from lipwright.core.contracts import F32
from lipwright.core.errors import CheckpointError, ShapeError
from lipwright.render.translation.crops import Crops

_ARRAYS = ("i", "j", "landmarks", "head_coded", "head_offsets", "mouth_coded", "mouth_offsets")


@dataclass(frozen=True)
class PicturePairs:
    """P pairs of training frames: frame i speaks, frame j gives the head."""

    i: NDArray[np.int64]
    """(P,) places in the training data of the speech."""
    j: NDArray[np.int64]
    """(P,) places of the head: the strokes that the renderer sees are this frame's."""
    landmarks: F32
    """(P, 68, 2) mashed keypoints in head-crop pixels: what the oracle was asked to draw."""
    head: Crops
    """P head pictures of side S."""
    mouth: Crops
    """P mouth pictures of side S: the mouth square at full size."""

    def __post_init__(self) -> None:
        count = len(self.i)
        for name, shape in (("j", self.j.shape[:1]), ("landmarks", self.landmarks.shape[:1]),
                            ("head", (len(self.head),)), ("mouth", (len(self.mouth),))):  # fmt: skip
            if shape != (count,):
                raise ShapeError(name, (count,), shape)

    def __len__(self) -> int:
        return len(self.i)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one safetensors file, atomically."""
        arrays = (self.i, self.j, self.landmarks, self.head.coded, self.head.offsets, self.mouth.coded,
                  self.mouth.offsets)  # fmt: skip
        tensors = {n: torch.from_numpy(np.ascontiguousarray(a)) for n, a in zip(_ARRAYS, arrays, strict=True)}
        save_tensors(path, tensors, {"pairs": 1, "size": self.head.size})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> PicturePairs:
        """Read what `save` wrote; CheckpointError when it is missing, damaged or something else."""
        tensors, described = load_tensors(path)
        if described.get("pairs") != 1 or not set(_ARRAYS) <= set(tensors):
            raise CheckpointError(f"{path} is no synthetic set of this version; delete it and train again")
        a = {name: tensors[name].numpy() for name in _ARRAYS}
        size = int(described["size"])
        head, mouth = (Crops(a[f"{part}_coded"], a[f"{part}_offsets"], size) for part in ("head", "mouth"))
        return cls(a["i"], a["j"], a["landmarks"], head, mouth)
