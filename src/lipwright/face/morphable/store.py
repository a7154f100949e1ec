"""A fit on disk: one npz of plain arrays, the model included, so that it can be drawn without the subject."""

from __future__ import annotations

import os
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np

from lipwright.core.errors import CheckpointError
from lipwright.core.files import atomic_file
from lipwright.face.morphable.fit import Fit
from lipwright.face.morphable.model import Coefficients, FaceModel, Landmarks

SCHEMA = 1
_MODEL = ("mean", "geometry", "expression", "mean_texture", "texture", "triangles", "inside")
_COEFFICIENTS = tuple(f.name for f in fields(Coefficients))


def save(path: str | os.PathLike[str], fit: Fit) -> None:
    """Write a fit, atomically."""
    model = fit.model
    arrays: dict[str, np.ndarray] = {"schema": np.array(SCHEMA), "name": np.array(model.name), "trusted": fit.trusted}
    arrays |= {f"model.{key}": getattr(model, key) for key in _MODEL}
    arrays |= {key: getattr(fit.coefficients, key) for key in _COEFFICIENTS}
    arrays |= {"landmark68.vertices": model.landmark68.vertices, "landmark68.shares": model.landmark68.shares}
    if model.dense is not None and model.dense_points is not None:
        arrays |= {"dense.vertices": model.dense.vertices, "dense.shares": model.dense.shares}
        arrays["dense.points"] = model.dense_points
    with atomic_file(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **arrays)


def load(path: str | os.PathLike[str]) -> Fit:
    """Read a fit; CheckpointError when the file is missing, damaged, foreign or newer."""
    source = Path(path)
    try:
        with open(source, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            held = {key: file[key] for key in file.files}
        schema = int(held["schema"])
        if schema > SCHEMA:
            raise CheckpointError(f"{source} was fitted by a newer lipwright (schema {schema}); update lipwright")
        dense = Landmarks(held["dense.vertices"], held["dense.shares"]) if "dense.points" in held else None
        model = FaceModel(
            name=str(held["name"]),
            **{key: held[f"model.{key}"] for key in _MODEL},
            landmark68=Landmarks(held["landmark68.vertices"], held["landmark68.shares"]),
            dense=dense,
            dense_points=held.get("dense.points"),
        )
        return Fit(model, Coefficients(**{key: held[key] for key in _COEFFICIENTS}), held["trusted"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(
            f"{source} is not a fitted face ({error}); run: lipwright fit SUBJECT -o {source}"
        ) from error
