"""BFM-2009 and FLAME, for users who hold their licences. Nothing of either is part of this package.

BFM-2009 (Paysan et al. 2009; expressions of Guo et al. 2018) as Deep3DFaceRecon prepares it: `BFM_model_front.mat`,
35,709 vertices in decimetres, 80 + 80 components and 64 expressions already scaled to standard deviations. FLAME (Li
et al. 2017) is published as a pickle, which is never opened here: an npz of its plain arrays (docs/morphable.md says
how), with the 68-point embedding in it.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import CheckpointError
from lipwright.face.morphable.interior import with_interior
from lipwright.face.morphable.model import FaceModel, Landmarks

_BFM = ("meanshape", "idBase", "exBase", "meantex", "texBase", "tri", "keypoints")
_FLAME = ("v_template", "shapedirs", "f", "J_regressor", "weights", "lmk_faces_idx", "lmk_b_coords")
_BFM_CM, _FLAME_CM = 10.0, 100.0
_FLAME_SHAPES, _JAW = 300, 2
_JAW_RAD = 0.1
"""A jaw coefficient of 1 turns FLAME's jaw so far, in first order."""
_SKIN = (0.72, 0.55, 0.47)


def bfm2009(path: str | os.PathLike[str]) -> FaceModel:
    """The Basel face as Deep3DFaceRecon's file has it; CheckpointError when the file is another."""
    from scipy.io import loadmat

    source = Path(path)
    try:
        held = loadmat(source, variable_names=_BFM)
    except (OSError, ValueError, NotImplementedError, TypeError) as error:
        raise CheckpointError(f"{source} is not a readable mat file ({error}); give BFM_model_front.mat") from error
    _needs(source, held, _BFM, "give BFM_model_front.mat of Deep3DFaceRecon")
    mean = held["meanshape"].reshape(-1, 3)
    n = len(mean)

    def basis(name: str, factor: float) -> F32:
        if held[name].ndim != 2 or held[name].shape[0] != 3 * n:
            raise CheckpointError(
                f"{source}: {name} has shape {held[name].shape}, expected ({3 * n}, any); copy it again"
            )
        return np.ascontiguousarray((held[name].T * factor).reshape(-1, n, 3), np.float32)

    triangles = _triangles(source, held["tri"].astype(np.int64) - 1, n)
    points = held["keypoints"].ravel().astype(np.int64) - 1
    _points_fit(source, points, n)
    centred = ((mean - mean.mean(0)) * _BFM_CM).astype(np.float32)
    model = FaceModel(
        name="bfm-2009",
        mean=centred,
        geometry=basis("idBase", _BFM_CM),
        expression=basis("exBase", _BFM_CM),
        mean_texture=(held["meantex"].reshape(-1, 3) / 255).astype(np.float32),
        texture=basis("texBase", 1 / 255),
        triangles=_outwards(centred, triangles),
        landmark68=Landmarks.at(points),
    )
    return with_interior(model)


def flame(path: str | os.PathLike[str]) -> FaceModel:
    """FLAME from an npz of its plain arrays; CheckpointError when one is missing, or the file is a pickle.

    Expressions are the published ones and three for the jaw, which turns in first order about its joint. A grey skin
    takes the place of a texture; `texture.learn` makes one from footage.
    """
    source = Path(path)
    try:
        with open(source, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            held = {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise CheckpointError(
            f"{source} is not an npz archive of plain arrays; convert FLAME's pickle as docs/morphable.md says"
        ) from error
    _needs(source, held, _FLAME, "convert FLAME as docs/morphable.md says")
    mean = held["v_template"].astype(np.float64)
    n, ways = len(mean), np.moveaxis(held["shapedirs"].astype(np.float64), -1, 0)
    if ways.shape[1:] != (n, 3) or len(ways) <= _FLAME_SHAPES:
        got = held["shapedirs"].shape
        raise CheckpointError(f"{source}: shapedirs has shape {got}, expected ({n}, 3, > {_FLAME_SHAPES})")
    triangles = _triangles(source, held["f"].astype(np.int64), n)
    joint = held["J_regressor"][_JAW] @ mean
    away, share = mean - joint, held["weights"][:, _JAW]
    jaw = np.stack([np.cross(axis, away) * share[:, None] * _JAW_RAD for axis in np.eye(3)])
    faces, mix = held["lmk_faces_idx"].ravel().astype(np.int64), held["lmk_b_coords"].astype(np.float32)
    if faces.shape != (68,) or mix.shape != (68, 3) or faces.min() < 0 or faces.max() >= len(triangles):
        raise CheckpointError(
            f"{source}: the landmark embedding must hold 68 points on its triangles; use the full one"
        )
    skin = np.tile(np.array(_SKIN, np.float32), (n, 1))
    model = FaceModel(
        name="flame",
        mean=(mean * _FLAME_CM).astype(np.float32),
        geometry=(ways[:_FLAME_SHAPES] * _FLAME_CM).astype(np.float32),
        expression=(np.concatenate([ways[_FLAME_SHAPES:], jaw]) * _FLAME_CM).astype(np.float32),
        mean_texture=skin,
        texture=np.zeros((0, n, 3), np.float32),
        triangles=_outwards((mean * _FLAME_CM).astype(np.float32), triangles),
        landmark68=Landmarks(triangles[faces].astype(np.int32), mix),
    )
    return with_interior(model)


def _needs(source: Path, held: dict[str, NDArray[np.generic]], keys: tuple[str, ...], advice: str) -> None:
    missing = [key for key in keys if key not in held]
    if missing:
        raise CheckpointError(f"{source} has no {', '.join(missing)}; {advice}")


def _triangles(source: Path, triangles: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    if triangles.ndim != 2 or triangles.shape[1] != 3 or triangles.min() < 0 or triangles.max() >= n:
        raise CheckpointError(f"{source}: its triangles do not fit its {n} vertices; copy it again")
    return triangles


def _points_fit(source: Path, points: NDArray[np.int64], n: int) -> None:
    if points.shape != (68,) or points.min() < 0 or points.max() >= n:
        raise CheckpointError(f"{source}: keypoints must be 68 of its {n} vertices; copy it again")


def _outwards(mean: F32, triangles: NDArray[np.int64]) -> NDArray[np.int32]:
    """Triangles that run counter-clockwise from outside: those of a face look to the viewer, on the whole."""
    a, b, c = (mean[triangles[:, k]] for k in range(3))
    facing = np.cross(b - a, c - a) * (mean[triangles].mean(1) - mean.mean(0))
    return (triangles if facing.sum() >= 0 else triangles[:, [0, 2, 1]]).astype(np.int32)
