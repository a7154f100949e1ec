"""A person's lower faces, real and drawn, in one file, for a machine that only trains.

Whoever reads it needs torch, NumPy, OpenCV and safetensors: what is drawn by the rasteriser is drawn already.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch

from lipwright.core.checkpoint import load_tensors, save_tensors
from lipwright.core.config import from_dict, to_dict
from lipwright.core.errors import CheckpointError
from lipwright.render.neural_face.config import NeuralFaceConfig
from lipwright.render.neural_face.data import FaceData
from lipwright.render.neural_face.geometry import FaceGeometry
from lipwright.render.translation.crops import Crops
from lipwright.render.translation.packed import QUALITY, mean_bytes

KIND = "neural_face"
"""Key of its description, by which readers know it."""
_PICTURES = ("crops", "drawn", "marks")
_ARRAYS = ("planes", "landmarks", "pose_rad", "numbers", "train", "validation")
_STRETCH = 25
"""Frames in a row that are kept or left out together: drawings of neighbours are looked at too."""


def save_packed(path: str | os.PathLike[str], data: FaceData, config: NeuralFaceConfig) -> None:
    """Write one safetensors file, atomically."""
    tensors = {name: torch.from_numpy(np.ascontiguousarray(getattr(data, name))) for name in _ARRAYS}
    for name in _PICTURES:
        crops: Crops = getattr(data, name)
        tensors |= {f"{name}.coded": torch.from_numpy(crops.coded), f"{name}.offsets": torch.from_numpy(crops.offsets)}
    save_tensors(path, {**tensors, **data.geometry.state()}, {"packed": 1, KIND: to_dict(config)})


def load_packed(path: str | os.PathLike[str]) -> tuple[FaceData, NeuralFaceConfig]:
    """Read what `save_packed` wrote; CheckpointError when it is missing, damaged or something else."""
    tensors, described = load_tensors(path)
    wanted = [*_ARRAYS, *(f"{name}.{part}" for name in _PICTURES for part in ("coded", "offsets"))]
    if any(name not in tensors for name in wanted) or not isinstance(described.get(KIND), dict):
        raise CheckpointError(
            f"{path} is not a packed subject of meta-talk; make one with: lipwright pack SUBJECT --recipe meta-talk"
        )
    config = from_dict(NeuralFaceConfig, described[KIND])
    arrays: dict[str, Any] = {name: tensors[name].numpy() for name in _ARRAYS}
    for name in _PICTURES:
        arrays[name] = Crops(tensors[f"{name}.coded"].numpy(), tensors[f"{name}.offsets"].numpy(), config.size)
    return FaceData(geometry=FaceGeometry.from_state(tensors), **arrays), config


def thinned(data: FaceData, megabytes: float) -> FaceData:
    """The same person with frames as JPEG, and so few seconds of them that all take about this much at most.

    Masks stay exact. Seconds are left out evenly, at least one of training and of validation is kept.
    """
    each = mean_bytes(data.crops) + mean_bytes(data.drawn) + len(data.marks.coded) / len(data.marks)
    share = min(megabytes * 1e6 / each / len(data.numbers), 1.0)
    train, validation = (_evenly(places, share) for places in (data.train, data.validation))
    order = np.sort(np.concatenate([train, validation]))
    new = np.full(len(data.numbers), -1, np.int64)
    new[order] = np.arange(len(order))
    marks = Crops.of((data.marks[int(i)] for i in order), data.geometry.size)
    return FaceData(
        data.crops.chosen(order, QUALITY),
        data.drawn.chosen(order, QUALITY),
        marks,
        data.planes[order],
        data.landmarks[order],
        data.pose_rad[order],
        data.numbers[order],
        data.geometry,
        new[np.sort(train)],
        new[np.sort(validation)],
    )


def _evenly(places: np.ndarray, share: float) -> np.ndarray:
    """Evenly spread stretches of the places, about this share of them."""
    blocks = np.array_split(places, max(len(places) // _STRETCH, 1))
    kept = np.unique(np.linspace(0, len(blocks) - 1, max(int(share * len(blocks)), 1)).round().astype(int))
    return np.concatenate([blocks[k] for k in kept])
