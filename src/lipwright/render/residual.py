"""What a trained network still draws wrong, learnt in closed form: ridge regression of its error on what it drew.

After few steps a network errs alike wherever it draws alike: lines at fixed places of the square, a corner of the mouth
that stays white, one band instead of a row of teeth. Such an error is a function of the drawn mouth. So the mouth's
principal components, over training frames, say by ridge regression what to take off every pixel.

It knows only mouths like those it has seen. What its components leave of a drawn mouth tells how far off that mouth is;
with it the correction fades to nothing, where a regression would go on in straight lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
import torch

from lipwright.core.contracts import F32, U8

Box = tuple[int, int, int, int]
"""(left, top, width, height) in pixels."""

COMPONENTS = 32
"""Of a drawn mouth at most."""
_FRAMES_PER_COMPONENT = 12
_RIDGE = 0.5
"""Of every component's own energy: a component of an unseen frame is trusted by two thirds."""
_SEEN = (48, 32)
"""(width, height) at which a mouth is looked at."""
_FULL, _NOTHING = 1.25, 1.75
"""What the components leave of a mouth, over what they leave of the training's, up to which all of the correction is
applied and from which on nothing is."""
_FINEST = 256
"""Pixels of a side at which errors are learnt at most; larger squares enlarge them."""
_PREFIX = "residual."


@dataclass(frozen=True, eq=False)
class Residual:
    """The error of drawings (S, S, 3), in levels of 8 bit."""

    mouth: Box
    """Where a drawing is looked at."""
    area: Box
    """Where its error is known."""
    mean: F32
    """(D,) mean drawn mouth at the size of `_SEEN`."""
    components: F32
    """(D, K) orthonormal."""
    deviation: F32
    """(K,) of a mouth's components over the training frames."""
    errors: F32
    """(1 + K, h, w, 3) mean error in `area`, and error for one deviation of each component."""
    left_over: float
    """Greatest rms, in levels, that the components leave of training mouths."""

    @classmethod
    def fit(cls, drawn: Iterable[tuple[U8, U8, F32]], mouth: Box) -> Residual | None:
        """The errors of N drawings; None where there are too few for one component.

        Args:
            drawn: N (drawing (S, S, 3), real picture (S, S, 3), weight (S, S) in [0, 1] of what is shown).
            mouth: where the mouth is in them.
        """
        seen: list[F32] = []
        off: list[np.ndarray] = []
        shown: F32 | None = None
        for picture, real, weight in drawn:
            seen.append(_looked_at(picture, mouth))
            error = (picture.astype(np.float32) - real) * weight[..., None]
            off.append(_reduced(error).astype(np.float16))
            shown = weight if shown is None else np.maximum(shown, weight)
        count = min(COMPONENTS, len(seen) // _FRAMES_PER_COMPONENT)
        if shown is None or count < 1 or not shown.any():
            return None
        reduced = _reduced(shown)
        area = _box_of(reduced > 0)
        mouths = np.stack(seen)
        mean = mouths.mean(0)
        _, energy, axes = np.linalg.svd(mouths - mean, full_matrices=False)
        deviation = np.maximum(energy[:count] / np.sqrt(len(seen)), 1e-3).astype(np.float32)
        components = np.ascontiguousarray(axes[:count].T, np.float32)
        told = np.concatenate([np.ones((len(seen), 1)), (mouths - mean) @ components / deviation], 1)
        left, top, width, height = area
        errors = np.stack([e[top : top + height, left : left + width] for e in off]).reshape(len(seen), -1)
        solved = _regressed(told, errors.astype(np.float32))
        every = len(shown) // len(reduced)
        made = cls(
            mouth,
            (left * every, top * every, width * every, height * every),
            mean.astype(np.float32),
            components,
            deviation,
            solved.reshape(1 + count, height, width, 3).astype(np.float16).astype(np.float32),  # as it is kept
            0.0,
        )
        return replace(made, left_over=max(1.0, *(made._told(one)[1] for one in seen)))

    def __call__(self, picture: U8) -> U8:
        """A drawing (S, S, 3) without its error."""
        told, rest = self._told(_looked_at(picture, self.mouth))
        trust = np.clip((_NOTHING - rest / self.left_over) / (_NOTHING - _FULL), 0, 1)
        if trust == 0:
            return picture
        off = self.errors[0].copy()
        for value, error in zip(told, self.errors[1:], strict=True):
            off += value * error
        left, top, width, height = self.area
        if off.shape[:2] != (height, width):
            off = np.asarray(cv2.resize(off, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        result = picture.copy()
        part = result[top : top + height, left : left + width]
        part[:] = np.clip(part - np.float32(trust) * off + np.float32(0.5), 0, 255)
        return result

    def state(self) -> dict[str, torch.Tensor]:
        """For a persona, errors as 16-bit floats."""
        kept = {name: torch.tensor(value) for name, value in _values(self).items()}
        kept["errors"] = kept["errors"].half()
        return {_PREFIX + name: value for name, value in kept.items()}

    @classmethod
    def from_state(cls, tensors: Mapping[str, torch.Tensor]) -> Residual | None:
        """Back from `state`; None for a persona without."""
        if _PREFIX + "errors" not in tensors:
            return None
        values = {field.name: tensors[_PREFIX + field.name] for field in fields(cls)}
        boxes = {name: tuple(int(v) for v in values.pop(name)) for name in ("mouth", "area")}
        left_over = float(values.pop("left_over"))
        return cls(**boxes, **{k: v.float().numpy() for k, v in values.items()}, left_over=left_over)  # type: ignore[arg-type]

    def _told(self, mouth: F32) -> tuple[F32, float]:
        """(K,) deviations of a mouth, and the rms of what they leave of it."""
        centred = mouth - self.mean
        told = centred @ self.components
        rest = centred - self.components @ told
        return np.asarray(told / self.deviation, np.float32), float(np.sqrt(np.square(rest).mean()))


def _regressed(told: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """(1 + K, P) by ridge regression of (N, P) errors on (N, 1 + K): a one, and components of deviation one."""
    count, columns = told.shape
    ridge = np.diag([0.0] + [_RIDGE * count] * (columns - 1))
    return np.asarray(np.linalg.solve(told.T @ told + ridge, told.T @ errors))


def _values(of: Residual) -> dict[str, object]:
    return {field.name: getattr(of, field.name) for field in fields(of)}


def _looked_at(picture: U8, mouth: Box) -> F32:
    """(D,) a drawing's mouth, small."""
    left, top, width, height = mouth
    cut = picture[top : top + height, left : left + width].astype(np.float32)
    return np.asarray(cv2.resize(cut, _SEEN, interpolation=cv2.INTER_AREA), np.float32).ravel()


def _reduced(picture: F32) -> F32:
    """A picture (S, S) or (S, S, 3) whose side is `_FINEST` at most."""
    side = len(picture)
    every = next(n for n in range(1, side + 1) if side % n == 0 and side // n <= _FINEST)
    if every == 1:
        return picture
    return np.asarray(cv2.resize(picture, (side // every,) * 2, interpolation=cv2.INTER_AREA), np.float32)


def _box_of(where: np.ndarray) -> Box:
    """What surrounds everything that is true in (h, w)."""
    rows, columns = (np.flatnonzero(where.any(axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    return left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1
