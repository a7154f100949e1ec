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

_ARRAYS = ("jpeg", "offsets", "landmarks", "pose_rad", "train", "validation")


def save_packed(path: str | os.PathLike[str], data: TranslationData, config: TranslationConfig) -> None:
    """Write one safetensors file, atomically."""
    arrays = (data.crops.jpeg, data.crops.offsets, data.landmarks, data.pose_rad, data.train, data.validation)
    tensors = {n: torch.from_numpy(np.ascontiguousarray(a)) for n, a in zip(_ARRAYS, arrays, strict=True)}
    save_tensors(path, {**tensors, **data.geometry.state()}, {"packed": 1, "renderer": to_dict(config)})


def load_packed(path: str | os.PathLike[str]) -> tuple[TranslationData, TranslationConfig]:
    """Read what `save_packed` wrote; CheckpointError when it is missing, damaged or something else."""
    tensors, described = load_tensors(path)
    missing = [name for name in _ARRAYS if name not in tensors]
    if missing or described.get("packed") != 1:
        raise CheckpointError(f"{path} is not a packed subject of this version; make one with: lipwright pack SUBJECT")
    config = from_dict(TranslationConfig, described["renderer"])
    arrays: dict[str, Any] = {name: tensors[name].numpy() for name in _ARRAYS}
    crops = Crops(arrays["jpeg"], arrays["offsets"], config.size)
    geometry = TranslationGeometry.from_state(tensors)
    return (
        TranslationData(
            crops, arrays["landmarks"], arrays["pose_rad"], geometry, arrays["train"], arrays["validation"]
        ),
        config,
    )


def thinned(data: TranslationData, megabytes: float) -> TranslationData:
    """The same person with evenly fewer training crops, so that all crops take at most this much.

    Validation crops stay, unless they alone take more than a fifth; then they are thinned to that.
    """
    lengths = np.diff(data.crops.offsets)
    room = megabytes * 1e6
    validation = _fitting(data.validation, lengths, room / 5)
    train = _fitting(data.train, lengths, room - float(lengths[validation].sum()))
    order = np.concatenate([train, validation])
    parts = [data.crops.jpeg[data.crops.offsets[i] : data.crops.offsets[i + 1]] for i in order]
    crops = Crops(np.concatenate(parts), np.cumsum([0, *lengths[order]]).astype(np.int64), data.crops.size)
    places = np.arange(len(order))
    return TranslationData(
        crops,
        data.landmarks[order],
        data.pose_rad[order],
        data.geometry,
        places[: len(train)],
        places[len(train) :],
    )


def _fitting(indices: NDArray[np.int64], lengths: NDArray[np.int64], room: float) -> NDArray[np.int64]:
    """Evenly fewer of `indices`, whose lengths sum to about `room` at most; never fewer than eight."""
    count = max(8, int(len(indices) * room / lengths[indices].sum()))
    return indices[np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(int)]
