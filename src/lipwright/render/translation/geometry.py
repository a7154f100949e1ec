"""Where a person's crop and mouth-and-jaw hull are: from rigid points and pose alone, never from the mouth.

The hull is what the renderer may not see of a template. Shaped by a frame's own mouth or jaw it would tell
the network how far that mouth is open; so it is one envelope per person (every mouth and jaw position of the
training frames, in aligned coordinates), moved with the head's pose (SPEC section 3, facial maps).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from lipwright.core.contracts import F32
from lipwright.core.errors import CheckpointError, ShapeError, SubjectError
from lipwright.core.ibug import BROWS, MOUTH, MOUTH_JAW, RIGID
from lipwright.face.align import Aligner, Box, apply

_DILATION = 0.045
"""Of the aligned face width (points 0 to 16): the hull beyond the outermost position seen."""
_SEWN_MARGIN = 0.12
"""Of the hull's extent: template around the hull in a sewn crop."""
_CIRCLE = np.stack([np.cos(np.arange(16) * np.pi / 8), np.sin(np.arange(16) * np.pi / 8)], -1)


@dataclass(frozen=True)
class TranslationGeometry:
    """A person's aligned square crop and hull, in canonical units (face.align.Aligner) and radians."""

    rigid: F32
    """(19, 2) canonical rigid points."""
    box: F32
    """(3,) left, top and side of the crop."""
    envelope: F32
    """(H, 2) convex hull at the mean pose."""
    pose_mean: F32
    """(3,)."""
    pose_reach: F32
    """(3,) how far a pose may be from the mean before the hull stops following."""
    shift_per_rad: F32
    """(3, 2) movement of mouth and jaw with pose."""
    mouth_size: F32
    """(2,) width and height of a box that holds every mouth of the training frames."""
    size: int
    """Side of the crop in pixels."""

    @classmethod
    def fit(cls, landmarks_px: F32, pose_rad: F32, mode: str, size: int) -> TranslationGeometry:
        """From the training frames' landmarks (T, 68, 2) and pose (T, 3); SubjectError below 8 frames.

        Half-percent tails of each point are dropped before the envelope: they are the tracker's slips.
        """
        if landmarks_px.shape[1:] != (68, 2):
            raise ShapeError("landmarks_px", ("T", 68, 2), landmarks_px.shape)
        if len(landmarks_px) < 8:
            raise SubjectError(
                f"a renderer needs at least 8 frames with a face, got {len(landmarks_px)}; film longer"
            )
        aligner = Aligner.fit(landmarks_px)
        points = apply(aligner.maps(landmarks_px, steady=False), landmarks_px).astype(np.float64)
        moving = points[:, MOUTH_JAW]
        mean = pose_rad.mean(0).astype(np.float64)
        offset = pose_rad.astype(np.float64) - mean
        # Ridge of (3 degrees)² per frame: without head motion the hull simply stays.
        gram = offset.T @ offset + len(offset) * 0.05**2 * np.eye(3)
        shift = np.linalg.solve(gram, offset.T @ (moving - moving.mean(0)).mean(1))
        still = moving - (offset @ shift)[:, None]
        low, high = np.percentile(still, [0.5, 99.5], axis=0)
        corners = np.concatenate([low, high, np.stack([low[:, 0], high[:, 1]], -1),
                                  np.stack([high[:, 0], low[:, 1]], -1)])  # fmt: skip
        width = float(np.linalg.norm(points[:, 16].mean(0) - points[:, 0].mean(0)))
        envelope = _convex((corners[:, None] + _DILATION * width * _CIRCLE).reshape(-1, 2))
        reach = np.percentile(np.abs(offset), 99, axis=0)
        mouth = points[:, MOUTH]
        extent = np.percentile(np.ptp(mouth, axis=1), 99.5, axis=0) * (1.25, 1.5)
        box = _sewn_box(envelope, reach, shift) if mode == "sewn" else _head_box(points, width)
        rigid, square, hull, centre, limit, slope, mouth_size = (
            np.asarray(a, np.float32) for a in (aligner.rigid, box, envelope, mean, reach, shift, extent)
        )
        return cls(rigid, square, hull, centre, limit, slope, mouth_size, size)

    def crop_maps(self, landmarks_px: F32) -> F32:
        """(T, 68, 2) landmarks to (T, 2, 3) crop_from_frame; each frame on its own."""
        x, y, side = (float(v) for v in self.box)
        box = Box(x, y, side, side, (self.size, self.size))
        return box.crop_from_frame(Aligner(self.rigid).maps(landmarks_px, steady=False))

    def hulls(self, pose_rad: F32) -> F32:
        """(T, 3) poses to (T, H, 2) hull polygons in crop pixels."""
        offset = np.clip(pose_rad - self.pose_mean, -self.pose_reach, self.pose_reach)
        placed = self.envelope[None] + (offset @ self.shift_per_rad)[:, None]
        scale = self.size / float(self.box[2])
        return ((placed - self.box[:2]) * scale - 0.5).astype(np.float32)

    def mouth_box(self) -> tuple[int, int]:
        """(width, height) of the mouth box in crop pixels, multiples of 8, at most the crop."""
        wanted = self.mouth_size * self.size / float(self.box[2])
        width, height = (int(min(np.ceil(v / 8) * 8, self.size // 8 * 8)) for v in wanted)
        return width, height

    def state(self) -> dict[str, torch.Tensor]:
        """Arrays for a persona, under `geometry.*`."""
        names = (n for n in self.__dataclass_fields__ if n != "size")
        tensors = {f"geometry.{name}": torch.from_numpy(np.array(getattr(self, name))) for name in names}
        return {**tensors, "geometry.size": torch.tensor(self.size)}

    @classmethod
    def from_state(cls, tensors: dict[str, torch.Tensor]) -> TranslationGeometry:
        """Back from `state`; CheckpointError names what is missing."""
        missing = [n for n in cls.__dataclass_fields__ if f"geometry.{n}" not in tensors]
        if missing:
            raise CheckpointError(f"renderer weights lack geometry.{missing[0]}; retrain the renderer")
        arrays = {n: tensors[f"geometry.{n}"].numpy() for n in cls.__dataclass_fields__ if n != "size"}
        return cls(**arrays, size=int(tensors["geometry.size"]))


def _convex(points: np.ndarray) -> F32:
    return np.asarray(cv2.convexHull(points.astype(np.float32)), np.float32)[:, 0]


def _sewn_box(envelope: F32, reach: np.ndarray, shift: np.ndarray) -> tuple[float, float, float]:
    """Square around the hull wherever pose moves it; what is left over shows more of the nose."""
    travel = np.abs(reach[:, None] * shift).sum(0)
    low, high = envelope.min(0) - travel, envelope.max(0) + travel
    side = float((high - low).max()) * (1 + 2 * _SEWN_MARGIN)
    bottom = float(high[1]) + _SEWN_MARGIN * float((high - low).max())
    return float(low[0] + high[0] - side) / 2, bottom - side, side


def _head_box(points: np.ndarray, width: float) -> tuple[float, float, float]:
    """Square around the head: hair above the brows, a strip of neck below the chin."""
    top = float(np.median(points[:, BROWS, 1].min(1))) - 0.6 * width
    bottom = float(np.percentile(points[:, 8, 1], 99)) + 0.18 * width
    centre = float(np.median(points[:, RIGID, 0].mean(1)))
    side = max(bottom - top, 1.5 * width)
    return centre - side / 2, top, side
