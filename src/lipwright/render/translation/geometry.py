"""Where a person's crop and mouth-and-jaw hull are: from rigid points and pose alone, never from the mouth.

The hull is what the renderer may not see of a template. Shaped by a frame's own mouth or jaw it would tell
the network how far that mouth is open. So each mouth and jaw point has a box that held it in all training
frames, around the place where the head's pose alone would put it (aligned coordinates, linear in pose), and
the hull is the convex hull of those boxes: the person's open-jaw envelope.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import torch

from lipwright.core.contracts import F32
from lipwright.core.errors import CheckpointError, ShapeError, SubjectError
from lipwright.core.ibug import BROWS, MOUTH, NOSE, RIGID
from lipwright.face.align import Aligner, Box, apply, similarity

_DILATION = 0.035
"""Of the aligned face width (points 0 to 16): the hull beyond the outermost position seen."""
_SEWN_MARGIN = 0.12
"""Of the hull's extent: template around the hull in a sewn crop."""
_CIRCLE = np.stack([np.cos(np.arange(16) * np.pi / 8), np.sin(np.arange(16) * np.pi / 8)], -1)

_HIDDEN = [*MOUTH, *range(3, 14)]
"""What the hull covers: the mouth and the jaw line with its ends 3 and 13, which move with it though no motion
model predicts them."""

_BONE = [0, 16, *NOSE[:4], 36, 39, 42, 45]
"""Points that speech does not move, and that lie at different depths: how they lie to each other tells the pose."""
_STEERING = 0.01
"""Of the face's width per frame: ridge of the steering, so that without head motion there is none."""
_ARRAYS = ("rigid", "box", "mean", "low", "high", "pose_mean", "pose_reach", "slope_per_rad", "dilation",
           "mouth_size")  # fmt: skip


@dataclass(frozen=True)
class TranslationGeometry:
    """A person's aligned square crop and hull, in canonical units (face.align.Aligner) and radians."""

    rigid: F32
    """(19, 2) canonical rigid points."""
    box: F32
    """(3,) left, top and side of the crop."""
    mean: F32
    """(31, 2) mouth and jaw points 3 to 13 at the mean pose (29 in older files: without 3 and 13)."""
    low: F32
    """(31, 2) least offset of each point from where the pose puts it, over the training frames."""
    high: F32
    """(31, 2) greatest offset."""
    pose_mean: F32
    """(3,)."""
    pose_reach: F32
    """(3,) how far a pose may be from the mean before the hull stops following."""
    slope_per_rad: F32
    """(3, 31, 2) movement of each point with pose."""
    dilation: F32
    """() by how much the hull exceeds the boxes."""
    mouth_size: F32
    """(2,) width and height of a box that holds every mouth of the training frames."""
    size: int
    """Side of the crop in pixels."""
    steering: F32 = field(default_factory=lambda: np.zeros((2 * len(_BONE) + 1, 2), np.float32))
    """(21, 2) from 10 canonical bone points and a one to how far the crop follows the mouth that they let expect."""

    @classmethod
    def fit(cls, landmarks_px: F32, pose_rad: F32, mode: str, size: int, steered: bool = False) -> TranslationGeometry:
        """From the training frames' landmarks (T, 68, 2) and pose (T, 3); SubjectError below 8 frames.

        Args: with `steered` crops follow the place where bone points let the mouth be expected, so that a mouth keeps
            its place in the crop when the head turns; else they follow the head.
        Half-percent tails of each point are dropped before the envelope: they are the tracker's slips.
        """
        if landmarks_px.shape[1:] != (68, 2):
            raise ShapeError("landmarks_px", ("T", 68, 2), landmarks_px.shape)
        if len(landmarks_px) < 8:
            raise SubjectError(f"a renderer needs at least 8 frames with a face, got {len(landmarks_px)}; film longer")
        aligner = Aligner.fit(landmarks_px)
        still = np.zeros((2 * len(_BONE) + 1, 2), np.float32)
        maps = _canonical_maps(landmarks_px, aligner.rigid, still)
        steering = _steering(apply(maps, landmarks_px)) if steered else still
        maps = _canonical_maps(landmarks_px, aligner.rigid, steering)
        points = apply(maps, landmarks_px).astype(np.float64)
        moving = points[:, _HIDDEN]
        mean = pose_rad.mean(0).astype(np.float64)
        offset = pose_rad.astype(np.float64) - mean
        # Ridge of (3 degrees)² per frame: without head motion the hull simply stays.
        gram = offset.T @ offset + len(offset) * 0.05**2 * np.eye(3)
        average = moving.mean(0)
        response = offset.T @ (moving - average).reshape(len(moving), -1)
        slope = np.linalg.solve(gram, response).reshape(3, len(_HIDDEN), 2)
        rest = moving - average - np.einsum("tp,pkc->tkc", offset, slope)
        low, high = np.percentile(rest, [0.5, 99.5], axis=0)
        width = float(np.linalg.norm(points[:, 16].mean(0) - points[:, 0].mean(0)))
        reach = np.percentile(np.abs(offset), 99, axis=0)
        mouth = points[:, MOUTH]
        extent = np.percentile(np.ptp(mouth, axis=1), 99.5, axis=0) * (1.25, 1.5)
        arrays = (aligner.rigid, (0, 0, 1), average, low, high, mean, reach, slope, _DILATION * width, extent)
        unplaced = cls(
            **dict(zip(_ARRAYS, (np.asarray(a, np.float32) for a in arrays), strict=True)), size=size, steering=steering
        )
        box = _sewn_box(unplaced._canonical_hulls(pose_rad)) if mode == "sewn" else _head_box(points, width)
        return replace(unplaced, box=np.asarray(box, np.float32))

    def crop_maps(self, landmarks_px: F32) -> F32:
        """(T, 68, 2) landmarks to (T, 2, 3) crop_from_frame; each frame on its own."""
        x, y, side = (float(v) for v in self.box)
        box = Box(x, y, side, side, (self.size, self.size))
        return box.crop_from_frame(_canonical_maps(landmarks_px, self.rigid, self.steering))

    def expected(self, pose_rad: F32) -> F32:
        """(T, 3) poses to (T, 31, 2) mean places of mouth and jaw points 3 to 13, crop pixels."""
        return self._in_crop(self._placed(pose_rad))

    @property
    def eye_distance(self) -> float:
        """Distance of the outer eye corners in crop pixels: the yardstick of sewing."""
        corners = self.rigid[[RIGID.index(36), RIGID.index(45)]]
        return float(np.linalg.norm(corners[1] - corners[0])) * self.size / float(self.box[2])

    def hulls(self, pose_rad: F32) -> list[F32]:
        """(T, 3) poses to T convex polygons (H, 2) in crop pixels."""
        return [self._in_crop(hull) for hull in self._canonical_hulls(pose_rad)]

    def hull_reach(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom in crop pixels that hold the hull of every pose.

        Hulls stop following at `pose_reach` and are linear in pose before it, so the outermost belong to corners.
        """
        signs = np.stack(np.meshgrid(*[[-1.0, 1.0]] * 3), -1).reshape(-1, 3)
        corners = np.concatenate(self.hulls((self.pose_mean + signs * self.pose_reach).astype(np.float32)))
        (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
        return float(x0), float(y0), float(x1), float(y1)

    def _in_crop(self, points: F32) -> F32:
        """Canonical units to crop pixels."""
        scale = self.size / float(self.box[2])
        return np.asarray((points - self.box[:2]) * scale - np.float32(0.5), np.float32)

    def _placed(self, pose_rad: F32) -> F32:
        """(T, 31, 2) hidden points at these poses, canonical units."""
        offset = np.clip(pose_rad - self.pose_mean, -self.pose_reach, self.pose_reach)
        return np.asarray(self.mean + np.einsum("tp,pkc->tkc", offset, self.slope_per_rad), np.float32)

    def _canonical_hulls(self, pose_rad: F32) -> list[F32]:
        placed = self._placed(pose_rad)
        sides = (self.low, self.high)
        corners = [placed + np.stack([a[:, 0], b[:, 1]], -1) for a in sides for b in sides]
        return [self._dilated(points) for points in np.concatenate(corners, axis=1)]

    def _dilated(self, points: F32) -> F32:
        """Convex hull of (K, 2) points, grown by a 16-gon."""
        hull = _convex(points)
        return _convex((hull[:, None] + self.dilation * _CIRCLE).reshape(-1, 2))

    def mouth_box(self) -> tuple[int, int]:
        """(width, height) of the mouth box in crop pixels, multiples of 8, at most the crop."""
        wanted = self.mouth_size * self.size / float(self.box[2])
        width, height = (int(min(np.ceil(v / 8) * 8, self.size // 8 * 8)) for v in wanted)
        return width, height

    def state(self) -> dict[str, torch.Tensor]:
        """Arrays for a persona, under `geometry.*`."""
        tensors = {f"geometry.{name}": torch.from_numpy(np.array(getattr(self, name))) for name in _ARRAYS}
        steering = torch.from_numpy(np.array(self.steering))
        return {**tensors, "geometry.steering": steering, "geometry.size": torch.tensor(self.size)}

    @classmethod
    def from_state(cls, tensors: dict[str, torch.Tensor]) -> TranslationGeometry:
        """Back from `state`; CheckpointError names what is missing."""
        missing = [n for n in (*_ARRAYS, "size") if f"geometry.{n}" not in tensors]
        if missing:
            raise CheckpointError(f"renderer weights lack geometry.{missing[0]}; retrain the renderer")
        arrays = {n: tensors[f"geometry.{n}"].numpy() for n in _ARRAYS}
        if "geometry.steering" in tensors:  # files before steered crops have none
            arrays["steering"] = tensors["geometry.steering"].numpy()
        return cls(**arrays, size=int(tensors["geometry.size"]))


def _canonical_maps(landmarks_px: F32, rigid: F32, steering: F32) -> F32:
    """(T, 68, 2) landmarks to (T, 2, 3) maps to the canonical frame, moved as `steering` says."""
    maps = similarity(landmarks_px[:, RIGID], rigid)
    if steering.any():
        maps[..., 2] -= _bone(apply(maps, landmarks_px[:, _BONE])) @ steering
    return maps


def _bone(points: F32) -> F32:
    """(T, 10, 2) to (T, 21), a one behind the numbers."""
    flat = points.reshape(len(points), -1)
    return np.concatenate([flat, np.ones((len(flat), 1), np.float32)], 1)


def _steering(points: F32) -> F32:
    """(21, 2) ridge regression of the mouth's offset from its mean place on the bone points, all canonical (T, 68, 2).

    Of many frames with the mouth at every opening only what the pose explains remains.
    """
    bone = points[:, _BONE].reshape(len(points), -1).astype(np.float64)
    mouth = points[:, MOUTH].mean(1).astype(np.float64)
    width = float(np.linalg.norm(points[:, 16].mean(0) - points[:, 0].mean(0)))
    centred, moved = bone - bone.mean(0), mouth - mouth.mean(0)
    gram = centred.T @ centred + len(bone) * (_STEERING * width) ** 2 * np.eye(bone.shape[1])
    slope = np.linalg.solve(gram, centred.T @ moved)
    return np.concatenate([slope, -(bone.mean(0) @ slope)[None]]).astype(np.float32)


def _convex(points: np.ndarray) -> F32:
    return np.asarray(cv2.convexHull(points.astype(np.float32)), np.float32)[:, 0]


def _sewn_box(hulls: list[F32]) -> tuple[float, float, float]:
    """Square around every hull of the training frames; what is left over shows more of the nose."""
    points = np.concatenate(hulls)
    low, high = points.min(0).astype(float), points.max(0).astype(float)
    extent = float((high - low).max())
    side = extent * (1 + 2 * _SEWN_MARGIN)
    bottom = float(high[1]) + _SEWN_MARGIN * extent
    return float(low[0] + high[0] - side) / 2, bottom - side, side


def _head_box(points: np.ndarray, width: float) -> tuple[float, float, float]:
    """Square around the head: hair above the brows, a strip of neck below the chin."""
    top = float(np.median(points[:, BROWS, 1].min(1))) - 0.6 * width
    bottom = float(np.percentile(points[:, 8, 1], 99)) + 0.18 * width
    centre = float(np.median(points[:, RIGID, 0].mean(1)))
    side = max(bottom - top, 1.5 * width)
    return centre - side / 2, top, side
