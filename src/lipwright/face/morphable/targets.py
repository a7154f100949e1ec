"""The points a model is fitted by: which of the tracker's they are, and how far each can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32, FaceTrack
from lipwright.core.ibug import JAW_LINE, MOUTH
from lipwright.face.mesh import LIPS
from lipwright.face.morphable.model import FaceModel, Landmarks

_SLIDING = 0.3
"""Weight of the jaw line on models whose points there are fixed vertices: the seen outline slides over the face."""
_MOUTH = 2.0
"""Weight of the refined mouth points beside single mesh points."""


@dataclass(frozen=True)
class Targets:
    """K points of a model, with what the tracker saw of them."""

    points: Landmarks
    """On the model."""
    weights: F32
    """(K,)."""
    seen: tuple[tuple[str, np.ndarray], ...]
    """(array of the track, indices into it), one after the other."""

    def of(self, track: FaceTrack, frames: slice | np.ndarray) -> F32:
        """(T, K, 2) pixels."""
        parts = {"landmarks": track.landmarks_px, "dense": track.dense_px}
        found = [np.asarray(parts[name][frames][:, where, :2], np.float32) for name, where in self.seen]
        return np.concatenate(found, axis=1)


def targets(model: FaceModel) -> Targets:
    """The refined mouth and, where the model has the tracker's mesh, all else of it; otherwise the 68 points."""
    if model.dense is None or model.dense_points is None:
        weights = np.ones(68, np.float32)
        weights[JAW_LINE] = _SLIDING
        return Targets(model.landmark68, weights, (("landmarks", np.arange(68)),))
    kept = np.flatnonzero(~np.isin(model.dense_points, LIPS))
    mouth = np.asarray(MOUTH)
    vertices = np.concatenate([model.landmark68.vertices[mouth], model.dense.vertices[kept]])
    shares = np.concatenate([model.landmark68.shares[mouth], model.dense.shares[kept]])
    weights = np.concatenate([np.full(len(mouth), _MOUTH), np.ones(len(kept))]).astype(np.float32)
    return Targets(Landmarks(vertices, shares), weights, (("landmarks", mouth), ("dense", model.dense_points[kept])))
