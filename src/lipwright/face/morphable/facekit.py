"""ICT-FaceKit (MIT) as a morphable face: teeth, gums, tongue and eyes are its own."""

from __future__ import annotations

import os

import numpy as np

from lipwright.core.contracts import F32
from lipwright.face.ict import VERTEX_RANGES, IctModel, load_ict
from lipwright.face.morphable.model import FaceModel, Landmarks

_COLOURS = {
    "face": (0.72, 0.55, 0.47), "head": (0.65, 0.5, 0.43), "socket": (0.55, 0.3, 0.28),
    "eye_sockets": (0.5, 0.3, 0.28), "gums_tongue": (0.5, 0.22, 0.22), "teeth": (0.8, 0.76, 0.68),
    "eyes": (0.75, 0.74, 0.72),
    "lacrimal": (0.6, 0.4, 0.38), "eye_blend": (0.5, 0.35, 0.3), "lashes": (0.1, 0.08, 0.07),
}  # fmt: skip
"""Albedo of each part before any picture is looked at."""
_INSIDE = ("gums_tongue", "teeth")
_SPREAD = 0.15
"""Albedo of a part per standard deviation and channel."""
_LIP_CM = 0.75
"""Vertices so near to the ring of lip points count as lips."""
_FULL = 0.35
"""An expression at full strength is this many times its own coefficient: they are weights in [0, 1], not deviations."""


def facekit(
    path: str | os.PathLike[str] | None = None, identities: int = 40, model: IctModel | None = None
) -> FaceModel:
    """The light model with `identities` of its 100 components; ConfigError when it is missing.

    Its expressions are the 57 of the model (ARKit-like), a coefficient of 1 being 0.35 of full strength. It has no
    texture of its own: here a colour for each part, and one for the lips.
    """
    ict = model or load_ict(path)
    triangles, _ = ict.triangles()
    n = len(ict.neutral)
    skin, parts = np.zeros((n, 3), np.float32), []
    for name, (first, end) in VERTEX_RANGES.items():
        skin[first:end] = _COLOURS[name]
        parts.append((np.arange(n) >= first) & (np.arange(n) < end))
    parts.append(_lips(ict))
    texture = np.zeros((3 * len(parts), n, 3), np.float32)
    for k, part in enumerate(parts):
        for channel in range(3):
            texture[3 * k + channel, part, channel] = _SPREAD
    inside = np.zeros(n, bool)
    for name in _INSIDE:
        inside[slice(*VERTEX_RANGES[name])] = True
    return FaceModel(
        name="ict-facekit",
        mean=ict.neutral,
        geometry=ict.identity_delta[:identities].astype(np.float32),
        expression=ict.expressions() * np.float32(_FULL),
        mean_texture=skin,
        texture=texture,
        triangles=triangles,
        landmark68=Landmarks.at(ict.landmark68),
        inside=inside,
    )


def _lips(ict: IctModel) -> np.ndarray:
    """(V,) face vertices near the twenty lip points."""
    points: F32 = ict.neutral[ict.landmark68[48:]]
    first, end = VERTEX_RANGES["face"]
    lips = np.zeros(len(ict.neutral), bool)
    near = np.linalg.norm(ict.neutral[first:end, None] - points[None], axis=-1).min(1)
    lips[first:end] = near < _LIP_CM
    return lips
