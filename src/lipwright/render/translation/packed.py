"""A person's training data in one file: crops, landmarks, pose and geometry, for a machine that only trains.

Whoever reads it needs torch, NumPy, OpenCV and safetensors, and neither footage nor video libraries.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lipwright.core.checkpoint import load_tensors, save_tensors
from lipwright.core.config import from_dict, to_dict
from lipwright.core.errors import CheckpointError
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.crops import Crops
from lipwright.render.translation.data import TranslationData
from lipwright.render.translation.geometry import TranslationGeometry

_ARRAYS = ("coded", "offsets", "landmarks", "pose_rad", "train", "validation", "numbers", "zooms")
QUALITY = 92
"""Of the JPEG pictures in a packed file."""


def save_packed(path: str | os.PathLike[str], data: TranslationData, config: TranslationConfig) -> None:
    """Write one safetensors file, atomically."""
    numbers = np.arange(len(data.crops)) if data.numbers is None else data.numbers
    zooms = np.ones(len(data.crops), np.float32) if data.zooms is None else data.zooms
    pictures = (data.crops.coded, data.crops.offsets)
    arrays = (*pictures, data.landmarks, data.pose_rad, data.train, data.validation, numbers, zooms)
    tensors = {n: torch.from_numpy(np.ascontiguousarray(a)) for n, a in zip(_ARRAYS, arrays, strict=True)}
    save_tensors(path, {**tensors, **data.geometry.state()}, {"packed": 1, "renderer": to_dict(config)})


def load_packed(path: str | os.PathLike[str]) -> tuple[TranslationData, TranslationConfig]:
    """Read what `save_packed` wrote; CheckpointError when it is missing, damaged or something else."""
    if not os.path.isfile(path):
        raise CheckpointError(f"{path} is not a file; make one with: lipwright pack SUBJECT")
    tensors, described = load_tensors(path)
    missing = [name for name in _ARRAYS if name not in tensors]
    if missing or described.get("packed") != 1 or not isinstance(described.get("renderer"), dict):
        raise CheckpointError(f"{path} is not a packed subject of this version; make one with: lipwright pack SUBJECT")
    config = from_dict(TranslationConfig, described["renderer"])
    arrays: dict[str, Any] = {name: tensors[name].numpy() for name in _ARRAYS}
    crops = Crops(arrays.pop("coded"), arrays.pop("offsets"), config.size)
    return TranslationData(crops=crops, geometry=TranslationGeometry.from_state(tensors), **arrays), config


def thinned(data: TranslationData, megabytes: float) -> TranslationData:
    """The same person as JPEG with evenly fewer crops, so that they take about this much at most."""
    room = megabytes * 1e6 / mean_bytes(data.crops)
    train, validation = evenly(data.train, data.validation, room)
    order, places = np.concatenate([train, validation]), np.arange(len(train) + len(validation))
    return TranslationData(
        data.crops.chosen(order, QUALITY),
        data.landmarks[order],
        data.pose_rad[order],
        data.geometry,
        places[: len(train)],
        places[len(train) :],
        order if data.numbers is None else data.numbers[order],
        None if data.zooms is None else data.zooms[order],
    )


def mean_bytes(crops: Crops) -> float:
    """What a crop takes as a packed JPEG, from 32 of them."""
    sample = np.linspace(0, len(crops) - 1, min(32, len(crops))).round().astype(np.int64)
    return len(crops.chosen(sample, QUALITY).coded) / len(sample)


def evenly(
    train: NDArray[np.int64], validation: NDArray[np.int64], room: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Evenly fewer of both, `room` together at most: a fifth for validation; never fewer than eight of each."""
    kept = _spread(validation, room / 5)
    return _spread(train, room - len(kept)), kept


def _spread(indices: NDArray[np.int64], count: float) -> NDArray[np.int64]:
    """Evenly at most `count` of the indices, never fewer than eight of them."""
    wanted = min(len(indices), max(8, int(count)))
    return indices[np.linspace(0, len(indices) - 1, wanted).round().astype(int)]
