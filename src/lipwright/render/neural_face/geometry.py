"""A person's lower face as it is drawn for the renderer, and the high-definition square it is drawn in.

Everything that depends on a frame comes from that frame's rigid points (nose, eye corners, ears' jaw ends) and from the
expression that is to be shown: the template's own mouth, jaw and expression are read nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import CheckpointError, SubjectError
from lipwright.core.ibug import MOUTH, RIGID
from lipwright.face.align import Aligner, apply, compose, similarity
from lipwright.face.squares import Square, hd_square

if TYPE_CHECKING:
    from lipwright.face.morphable.fit import Fit

_OPEN = 1.3
"""How much further the mask's open mouth opens than the widest in training."""
_TAIL = 0.005
"""Share of the training frames whose mean is the widest, and the tightest, mouth: single frames slip."""
_CHIN, _NOSE_TIP, _NOSE_BASE = 8, 30, 33
_ARRAYS = ("still", "moves", "albedo", "inside", "light", "triangles", "rigid_cm", "opened", "closed", "rigid", "box",
           "mouth_size")  # fmt: skip


@dataclass(frozen=True)
class FaceGeometry:
    """A fitted face below the nose, without expression, pose and place; and its square."""

    still: F32
    """(V, 3) cm, no expression."""
    moves: F32
    """(E, V, 3) cm per unit of expression."""
    albedo: F32
    """(V, 3) RGB."""
    inside: F32
    """(V,) 1 in the mouth's interior, else 0."""
    light: F32
    """(9, 3) the footage's median light: every drawing has the same."""
    triangles: NDArray[np.int32]
    """(F, 3)."""
    rigid_cm: F32
    """(19, 3) the rigid points on the face: pose is found by them."""
    opened: F32
    """(E,) an expression wider open than any in training."""
    closed: F32
    """(E,) the tightest in training."""
    rigid: F32
    """(19, 2) where the rigid points are in aligned coordinates, pixels of the footage."""
    box: F32
    """(3,) left, top and side of the square in aligned coordinates, pixel edges."""
    mouth_size: F32
    """(2,) width and height of a box that holds every mouth of training, pixels of the square."""
    size: int
    """Side of the square's picture."""

    @classmethod
    def of(cls, fit: Fit, landmarks_px: F32, train: np.ndarray, size: int, room: float) -> FaceGeometry:
        """From a fit and landmarks (T, 68, 2) of the same frames; measured on the frames `train` only.

        SubjectError below 8 frames.
        """
        if len(train) < 8:
            raise SubjectError(f"a renderer needs at least 8 frames with a face, got {len(train)}; film longer")
        model, c = fit.model, fit.coefficients
        still = np.asarray(model.mean + np.tensordot(c.geometry, model.geometry, 1), np.float32)
        points = model.landmark68(still)
        level = (points[_NOSE_TIP, 1] + points[_NOSE_BASE, 1]) / 2
        kept = model.triangles[(still[model.triangles, 1] < level).any(1)]
        used, renamed = np.unique(kept, return_inverse=True)
        expression = c.expression[train]
        drop = -expression @ model.landmark68(model.expression)[:, _CHIN, 1]
        order, count = np.argsort(drop, kind="stable"), max(round(_TAIL * len(train)), 1)
        middle = expression.mean(0)
        opened = middle + _OPEN * (expression[order[-count:]].mean(0) - middle)
        aligner = Aligner.fit(landmarks_px[train])
        aligned = apply(aligner.maps(landmarks_px[train]), landmarks_px[train])
        square = hd_square(aligned, size, room, sides=())
        extent = np.percentile(np.ptp(aligned[:, MOUTH], axis=1), 99.5, axis=0) * (1.25, 1.5) * size / square.side
        arrays = {
            "still": still[used],
            "moves": model.expression[:, used],
            "albedo": model.albedo(c.texture)[used],
            "inside": model.inside[used],
            "light": np.median(c.light[train], axis=0),
            "rigid_cm": points[RIGID],
            "opened": opened,
            "closed": expression[order[:count]].mean(0),
            "rigid": aligner.rigid,
            "box": (square.left, square.top, square.side),
            "mouth_size": extent,
        }
        plain = {name: np.ascontiguousarray(np.asarray(array, np.float32)) for name, array in arrays.items()}
        return cls(**plain, triangles=renamed.reshape(-1, 3).astype(np.int32), size=size)

    @property
    def square(self) -> Square:
        """The square in aligned coordinates."""
        left, top, side = (float(v) for v in self.box)
        return Square(left, top, side, self.size)

    @property
    def expressions(self) -> int:
        """E, coefficients of an expression."""
        return len(self.moves)

    def crop_maps(self, landmarks_px: F32) -> F32:
        """(T, 68, 2) landmarks to (T, 2, 3) crop_from_frame; each frame on its own, from its rigid points."""
        aligned = similarity(landmarks_px[:, RIGID], self.rigid)
        return compose(np.broadcast_to(self.square.crop_from_frame.astype(np.float32), aligned.shape), aligned)

    def mouth_box(self) -> tuple[int, int]:
        """(width, height) of the mouth box in pixels of the square, multiples of 8."""
        width, height = (int(min(np.ceil(v / 8) * 8, self.size // 8 * 8)) for v in self.mouth_size)
        return width, height

    def state(self) -> dict[str, torch.Tensor]:
        """Arrays for a persona, under `geometry.*`."""
        tensors = {f"geometry.{name}": torch.from_numpy(np.array(getattr(self, name))) for name in _ARRAYS}
        return {**tensors, "geometry.size": torch.tensor(self.size)}

    @classmethod
    def from_state(cls, tensors: dict[str, torch.Tensor]) -> FaceGeometry:
        """Back from `state`; CheckpointError names what is missing."""
        missing = [n for n in (*_ARRAYS, "size") if f"geometry.{n}" not in tensors]
        if missing:
            raise CheckpointError(f"renderer weights lack geometry.{missing[0]}; retrain the renderer")
        arrays: dict[str, Any] = {n: tensors[f"geometry.{n}"].numpy() for n in _ARRAYS}
        return cls(**arrays, size=int(tensors["geometry.size"]))
