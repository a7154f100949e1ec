"""What oracle and cross-modal renderer learn from in one file, for a machine that only trains.

Whoever reads it needs torch, NumPy, OpenCV and safetensors, and neither footage nor video libraries.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from lipwright.core.checkpoint import load_tensors, save_tensors
from lipwright.core.config import from_dict, to_dict
from lipwright.core.contracts import F32, FaceTrack
from lipwright.core.errors import CheckpointError, ShapeError
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.head import HeadGeometry
from lipwright.render.oracle.config import OracleConfig
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.oracle import enlarged
from lipwright.render.translation.crops import Crops
from lipwright.render.translation.packed import QUALITY, evenly, mean_bytes

_TRACK = ("landmarks_px", "dense_px", "confidence", "pose_rad")
_PICTURES = ("heads", "mouths")
_OTHERS = ("outlines", "speech", "train", "validation")
_NAMES = (*_TRACK, *(f"{p}_{part}" for p in _PICTURES for part in ("coded", "offsets")), *_OTHERS)
KIND = "crossmodal"
"""Under this key the description of the file has the renderer's configuration."""


def save_packed(
    path: str | os.PathLike[str], data: OracleData, speech: F32, config: CrossModalConfig, oracle: OracleConfig
) -> None:
    """Write one safetensors file, atomically.

    Args: `speech` (N, window, k), what is heard around each of the N frames of the data.
    """
    if len(speech) != len(data.track):
        raise ShapeError("speech", (len(data.track), config.window, config.k), speech.shape)
    arrays: dict[str, np.ndarray] = {name: getattr(data.track, name) for name in _TRACK}
    for name in _PICTURES:
        crops: Crops = getattr(data, name)
        arrays |= {f"{name}_coded": crops.coded, f"{name}_offsets": crops.offsets}
    arrays |= {"outlines": data.outlines, "speech": speech, "train": data.train, "validation": data.validation}
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
    described = {"packed": 1, KIND: to_dict(config), "oracle": to_dict(oracle), "size": list(data.track.size),
                 "mouth_size": data.mouth_size, "mouth_cut": data.mouths.size}  # fmt: skip
    save_tensors(path, {**tensors, **data.geometry.state()}, described)


def load_packed(path: str | os.PathLike[str]) -> tuple[OracleData, F32, CrossModalConfig, OracleConfig]:
    """Read what `save_packed` wrote; CheckpointError when it is missing, damaged or something else."""
    tensors, described = load_tensors(path)
    if described.get("packed") != 1 or KIND not in described or not set(_NAMES) <= set(tensors):
        raise CheckpointError(
            f"{path} is not a subject packed for virtual-human by this version; make one with: "
            "lipwright pack SUBJECT --recipe virtual-human"
        )
    config, oracle = from_dict(CrossModalConfig, described[KIND]), from_dict(OracleConfig, described["oracle"])
    a: dict[str, Any] = {name: tensors[name].numpy() for name in _NAMES}
    width, height = (int(v) for v in described["size"])
    track = FaceTrack(**{name: a[name] for name in _TRACK}, size=(width, height))
    heads = Crops(a["heads_coded"], a["heads_offsets"], config.size)
    mouths = Crops(a["mouths_coded"], a["mouths_offsets"], int(described["mouth_cut"]))
    geometry, size = HeadGeometry.from_state(tensors), int(described["mouth_size"])
    data = OracleData(heads, mouths, track, a["outlines"], geometry, size, a["train"], a["validation"])
    return data, a["speech"], config, oracle


def crossmodal_data(data: OracleData, speech: F32, size: int) -> CrossModalData:
    """The same frames for the renderer: mouth pictures are those of the oracle at the renderer's size."""
    mouths = Crops.joined([Crops.of([enlarged(data.mouth(i), size)], size) for i in range(len(data.track))])
    return CrossModalData(
        data.heads, mouths, data.landmarks, data.outlines, data.track.pose_rad, speech, data.geometry, data.train,
        data.validation,
    )  # fmt: skip


def thinned(data: OracleData, speech: F32, megabytes: float) -> tuple[OracleData, F32]:
    """The same person as JPEG with evenly fewer frames, so that they take about this much at most."""
    each = mean_bytes(data.heads) + mean_bytes(data.mouths) + data.track.dense_px[0].nbytes + speech[0].nbytes
    train, validation = evenly(data.train, data.validation, megabytes * 1e6 / each)
    order, places = np.concatenate([train, validation]), np.arange(len(train) + len(validation))
    fewer = replace(
        data,
        heads=data.heads.chosen(order, QUALITY),
        mouths=data.mouths.chosen(order, QUALITY),
        track=data.track[order],
        outlines=data.outlines[order],
        train=places[: len(train)],
        validation=places[len(train) :],
    )
    return fewer, speech[order]
