"""The ICT-FaceKit morphable face: loading and evaluating identity and expression.

The model (Li et al. 2020, "Learning formation of physically-based face attributes"; MIT licence) is not
part of this package. `load_ict` looks for the converted light model (`ict_facekit_light.npz`) at a given
path, in $LIPWRIGHT_ICT_MODEL, in the user's model folder, and beside the working folder.

Axes: x right in the picture, y up, z to the viewer; centimetres.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipwright.core import weights
from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError

I32 = NDArray[np.int32]
FILE_NAME = "ict_facekit_light.npz"
ENVIRONMENT = "LIPWRIGHT_ICT_MODEL"

VERTEX_RANGES: dict[str, tuple[int, int]] = {
    "face": (0, 9409),
    "head": (9409, 11248),
    "socket": (11248, 13294),
    "eye_sockets": (13294, 14062),
    "gums_tongue": (14062, 17039),
    "teeth": (17039, 21451),
    "eyes": (21451, 24591),
    "lacrimal": (24591, 24999),
    "eye_blend": (24999, 25351),
    "lashes": (25351, 26719),
}
"""Half-open vertex ranges of the parts, in the model's own order."""

_SHAPES: dict[str, tuple[int | None, ...]] = {
    "neutral": (26719, 3),
    "identity_delta": (None, 26719, 3),
    "expression_delta": (None, 26719, 3),
    "expression_names": (None,),
    "polygons": (None, 4),
    "polygon_uvs": (None, 4),
    "uv": (None, 2),
    "landmark68_vertices": (68,),
}


@dataclass(frozen=True)
class IctModel:
    """The arrays of the light model, checked."""

    neutral: F32
    """(V, 3) centimetres."""
    identity_delta: NDArray[np.float16]
    """(100, V, 3) offsets per unit coefficient."""
    expression_delta: NDArray[np.float16]
    """(57, V, 3) offsets at full expression."""
    expression_names: tuple[str, ...]
    """ARKit-like names with _L and _R sides."""
    polygons: I32
    """(P, 4) corners, counter-clockwise from outside, -1 pads triangles."""
    polygon_uvs: I32
    """(P, 4) indices into `uv`."""
    uv: F32
    """(U, 2) UDIM coordinates: face in tile 0, head in tile 1, gums in 2, teeth in 3."""
    landmark68: I32
    """(68,) vertices of the Multi-PIE points."""

    def identity(self, coefficients: F32) -> F32:
        """(V, 3) neutral face of an identity; up to 100 coefficients in standard deviations."""
        shape = self.neutral.copy()
        for weight, delta in zip(coefficients, self.identity_delta, strict=False):
            shape += np.float32(weight) * delta.astype(np.float32)
        return shape

    def expressions(self, vertices: NDArray[np.int64] | I32 | None = None) -> F32:
        """(57, V or len(vertices), 3) float32 offsets, optionally of some vertices only."""
        delta = self.expression_delta if vertices is None else self.expression_delta[:, vertices]
        return delta.astype(np.float32)

    def triangles(self, first_vertex: int = 0, end_vertex: int | None = None) -> tuple[I32, I32]:
        """Triangles and their UV triangles whose vertices all lie in the half-open range."""
        end = len(self.neutral) if end_vertex is None else end_vertex
        corner = np.where(self.polygons < 0, self.polygons[:, :1], self.polygons)
        inside = ((corner >= first_vertex) & (corner < end)).all(axis=1)
        polygons, uvs = self.polygons[inside], self.polygon_uvs[inside]
        quad = polygons[:, 3] >= 0
        faces = np.concatenate([polygons[:, :3], polygons[quad][:, [0, 2, 3]]])
        faces_uv = np.concatenate([uvs[:, :3], uvs[quad][:, [0, 2, 3]]])
        return faces.astype(np.int32), faces_uv.astype(np.int32)


def model_locations() -> list[Path]:
    """Where `load_ict` looks when no path is given, in order."""
    places = [Path(os.environ[ENVIRONMENT])] if os.environ.get(ENVIRONMENT) else []
    data_home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    places += [weights.folder() / FILE_NAME]  # where `lipwright models add` puts it
    places += [data_home / "lipwright" / "models" / FILE_NAME]
    places += [folder / "models" / FILE_NAME for folder in (Path("shared"), Path("..") / "shared")]
    return places


def find_ict() -> Path | None:
    """The first existing default location, or None."""
    return next((p for p in model_locations() if p.is_file()), None)


def load_ict(path: str | os.PathLike[str] | None = None) -> IctModel:
    """Load the light model; ConfigError when it is missing or is another file."""
    source = Path(path) if path is not None else find_ict()
    if source is None or not source.is_file():
        wanted = str(source) if source is not None else ", ".join(map(str, model_locations()))
        raise ConfigError(
            f"the ICT-FaceKit model is not at {wanted}; convert the light model to {FILE_NAME} and name it "
            f"with --model or {ENVIRONMENT}"
        )
    try:
        with open(source, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{source} is not a readable npz file ({error}); copy it again") from error
    _check(source, arrays)
    return IctModel(
        neutral=arrays["neutral"].astype(np.float32),
        identity_delta=arrays["identity_delta"],
        expression_delta=arrays["expression_delta"],
        expression_names=tuple(str(n) for n in arrays["expression_names"]),
        polygons=arrays["polygons"].astype(np.int32),
        polygon_uvs=arrays["polygon_uvs"].astype(np.int32),
        uv=arrays["uv"].astype(np.float32),
        landmark68=arrays["landmark68_vertices"].astype(np.int32),
    )


def _check(source: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    missing = sorted(set(_SHAPES) - set(arrays))
    if missing:
        raise ConfigError(f"{source} lacks {', '.join(missing)}; it is not a converted ICT-FaceKit light model")
    for key, shape in _SHAPES.items():
        got = arrays[key].shape
        if len(got) != len(shape) or any(w is not None and w != g for w, g in zip(shape, got, strict=True)):
            wanted = tuple("any" if s is None else s for s in shape)
            raise ConfigError(f"{source}: {key} has shape {got}, expected {wanted}; it is not the light model")
    if len(arrays["expression_names"]) != len(arrays["expression_delta"]):
        raise ConfigError(f"{source}: expression_names and expression_delta differ in length; convert it again")
