"""Something over the mouth: a hand, a microphone, a cup, a sheet of paper, or a mesh that is not on the face.

A person's own lower face, seen at the mesh's points (face.skin), is one colour per point plus a little that
follows from head pose, light and speech: a robust regression on pose and a few principal components of the
person's own frames describe it, fitted to the frames that agree with each other (concentration steps as in
FAST-LTS, Rousseeuw and Van Driessen 2006), so that a cover in a third of the frames does not teach itself. A
frame is covered where many points around the mouth lie far outside what each of them ever does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.face.skin import N_LOWER
from lipwright.face.smooth import runs

_FIT_FRAMES = 800
"""Frames the model is fitted on, evenly spread."""
_MIN_FRAMES = 25
_COMPONENTS = 8
_STEPS = 6
"""Concentration steps."""
_REWEIGHTS = 2
"""Fits on all frames that agree with the trusted ones, so that rare mouths and turns belong to the model."""
_CORE = 0.55
"""Share of frames trusted at the start: a cover may take the rest."""
_LIMIT = 3.5
"""Components beyond so many standard deviations are not this person's: a cover must not be explained."""
_FAR = 4.0
"""Standard deviations at which a point is no longer this person's skin."""
_FLOOR = 3.0
"""Smallest standard deviation of a point, grey levels: smooth skin under steady light is not a promise."""
_SHARE = 0.16
"""Share of the points around the mouth that must be far for a frame to be covered."""
_MIN_RUN_S = 0.1
"""Shorter events are noise (3 frames at 25 fps)."""
_BRIDGE_S = 0.2
"""Covered frames this close together are one event."""
_MARGIN_S = 0.08
"""An event begins and ends gradually: so much more is given up on both sides."""


class Rows(Protocol):
    """Rows of an array that may lie on disk: read where they are looked at."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: NDArray[Any], /) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Cover:
    """What was found."""

    covered: NDArray[np.bool_]
    """(T,) frames in which something lies over the mouth."""
    share: F32
    """(T,) share of points around the mouth that are not this person's skin; 0 where there is no face."""


def cover(
    signature: Rows, pose_rad: F32, present: NDArray[np.bool_], fps: float, shots: Sequence[tuple[int, int]] = ()
) -> Cover:
    """Covered frames of one person.

    One model serves all shots; a shot that it finds covered for the most part may only be lit differently
    and is judged by a model of its own.

    Args:
        signature: (T, P, 3) uint8 of `face.skin`.
        pose_rad: (T, 3) pitch, yaw, roll.
        present: (T,) frames with that face.
        fps: frames per second.
        shots: [start, stop) stretches without a cut; none given means one.
    """
    share = _far_share(signature, pose_rad, np.flatnonzero(present))
    for start, stop in shots if len(shots) > 1 else ():
        seen = np.flatnonzero(present[start:stop]) + start
        if len(seen) >= _MIN_FRAMES and (share[seen] > _SHARE).mean() > 1 - _CORE:
            share[seen] = _far_share(signature, pose_rad, seen)[seen]
    return Cover(_events(share > _SHARE, present, fps), share)


def _far_share(signature: Rows, pose_rad: F32, seen: NDArray[np.int_]) -> F32:
    """(T,) share of far points in the frames `seen`, by a model fitted to them."""
    share = np.zeros(len(signature), np.float32)
    if len(seen) < _MIN_FRAMES:
        return share
    chosen = seen[np.linspace(0, len(seen) - 1, min(len(seen), _FIT_FRAMES)).round().astype(int)]
    model = _Model.fit(_lit(signature[chosen]), _design(pose_rad[chosen]))
    for start in range(0, len(seen), _FIT_FRAMES):
        part = seen[start : start + _FIT_FRAMES]
        share[part] = (model.far(_lit(signature[part]), _design(pose_rad[part])) > _FAR).mean(1)
    return share


def _events(hit: NDArray[np.bool_], present: NDArray[np.bool_], fps: float) -> NDArray[np.bool_]:
    """Bridge short gaps, drop short events, widen what is left."""
    hit = hit.copy()
    for start, stop in runs(~hit):
        if start > 0 and stop < len(hit) and stop - start <= _BRIDGE_S * fps:
            hit[start:stop] = True
    result = np.zeros(len(hit), bool)
    margin = round(_MARGIN_S * fps)
    for start, stop in runs(hit):
        if stop - start >= max(_MIN_RUN_S * fps, 2):
            result[max(start - margin, 0) : stop + margin] = True
    return result & present


def _lit(signature: U8) -> F32:
    """(T, N_LOWER, 3) lower face under the light of the upper face: luma as a ratio, chroma as a difference."""
    values = signature.astype(np.float32)
    upper = values[:, N_LOWER:]
    light = np.maximum(np.median(upper[..., 0], axis=1), 16.0)
    lower = values[:, :N_LOWER].copy()
    lower[..., 0] *= (np.median(light) / light)[:, None]
    lower[..., 1:] -= np.median(upper[..., 1:], axis=1)[:, None]
    return lower


def _design(pose_rad: F32) -> F32:
    """(T, 6) constant, pitch, yaw, and their squares and product."""
    pitch, yaw = pose_rad[:, 0], pose_rad[:, 1]
    return np.stack([np.ones_like(yaw), pitch, yaw, pitch * pitch, yaw * yaw, pitch * yaw], 1)


@dataclass(frozen=True)
class _Model:
    pose: F32
    """(6, D) regression on pose."""
    axes: F32
    """(R, D) orthonormal components."""
    spread: F32
    """(R,) standard deviation along each."""
    scale: F32
    """(N_LOWER, 3) standard deviation of what is left."""

    @classmethod
    def fit(cls, values: F32, design: F32) -> _Model:
        flat = values.reshape(len(values), -1)
        off = np.abs(values - np.median(values, axis=0))
        scale = np.maximum(1.4826 * np.median(off, axis=0), _FLOOR)
        core = _closest((off / scale).mean((1, 2)), _CORE)
        for _ in range(_STEPS):
            model = cls._of(flat[core], design[core])
            core = _closest(np.minimum(model.far(values, design), 2 * _FAR).mean(1), _CORE)
        for _ in range(_REWEIGHTS):
            agree = (model.far(values, design) > _FAR).mean(1) < _SHARE
            if agree.sum() >= _MIN_FRAMES:
                model = cls._of(flat[agree], design[agree])
        return model.widened(values, design)

    @classmethod
    def _of(cls, flat: F32, design: F32) -> _Model:
        ridge = np.diag([0.0, *[1e-3 * len(flat)] * (design.shape[1] - 1)]).astype(np.float32)
        pose = np.linalg.solve(design.T @ design + ridge, design.T @ flat)
        left = flat - design @ pose
        rank = min(_COMPONENTS, len(flat) // 4)
        _, size, axes = np.linalg.svd(left, full_matrices=False)
        axes = axes[:rank]
        rest = left - (left @ axes.T) @ axes
        scale = np.maximum(rest.std(0) * 1.2, _FLOOR).reshape(-1, 3)
        return cls(pose, axes, size[:rank] / np.sqrt(len(flat)), scale)

    def widened(self, values: F32, design: F32) -> _Model:
        """The same with the scale of all frames that agree, not only of the closest."""
        far = self.far(values, design)
        agree = (far > _FAR).mean(1) < _SHARE
        left = np.abs(self.left(values, design)[agree])
        wide = np.quantile(left, 0.95, axis=0) / 1.96 if agree.sum() >= _MIN_FRAMES else self.scale
        return _Model(self.pose, self.axes, self.spread, np.maximum(self.scale, wide).astype(np.float32))

    def left(self, values: F32, design: F32) -> F32:
        """(T, N_LOWER, 3) what pose and bounded components do not explain."""
        left = values.reshape(len(values), -1) - design @ self.pose
        along = np.clip(left @ self.axes.T, -_LIMIT * self.spread, _LIMIT * self.spread)
        return (left - along @ self.axes).reshape(values.shape)

    def far(self, values: F32, design: F32) -> F32:
        """(T, N_LOWER) the largest deviation of the three colours, in standard deviations."""
        return np.asarray((np.abs(self.left(values, design)) / self.scale).max(2), np.float32)


def _closest(distance: F32, share: float) -> NDArray[np.int_]:
    return np.argsort(distance)[: max(int(share * len(distance)), _MIN_FRAMES // 2)]
