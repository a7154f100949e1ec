"""Frames in, one steady `FaceTrack` out: follow one face, fill gaps, smooth without lag, pose, noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32, FaceTrack
from lipwright.core.ibug import MOUTH
from lipwright.face import smooth as s
from lipwright.face.landmarks68 import to_68
from lipwright.face.mesh import IRISES, LIDS, LIPS, LOWER_FACE
from lipwright.face.noise import NoiseMeter
from lipwright.face.pose import head_pose
from lipwright.face.tracker import N_DENSE

_CUT_JUMP = 0.35
"""A face that moves more than this share of its width in a 25th of a second is a cut, not motion."""


@dataclass
class TrackBuilder:
    """Collects raw detections frame by frame; `finish` makes the track.

    Args:
        size: (width, height) of the frames.
        fps: frames per second; smoothing windows span the same time at every rate.
    """

    size: tuple[int, int]
    fps: float = s.WINDOWS_FPS

    def __post_init__(self) -> None:
        self._dense: list[F32] = []
        self._confidence: list[float] = []
        self._last: F32 | None = None
        self.most_faces = 0

    def add(self, faces: list[tuple[F32, float]]) -> None:
        """Take the face that continues the track, or note its absence."""
        self.most_faces = max(self.most_faces, len(faces))
        chosen = self._choose(faces)
        if chosen is None:
            self._dense.append(np.zeros((N_DENSE, 3), np.float32))
            self._confidence.append(0.0)
        else:
            self._last = chosen[0]
            self._dense.append(chosen[0])
            self._confidence.append(chosen[1])

    def _choose(self, faces: list[tuple[F32, float]]) -> tuple[F32, float] | None:
        if not faces:
            return None
        if self._last is None:
            return faces[0]
        anchor = self._last[:, :2].mean(0)
        width = float(np.ptp(self._last[:, 0]))
        nearest = min(faces, key=lambda f: float(np.linalg.norm(f[0][:, :2].mean(0) - anchor)))
        near = np.linalg.norm(nearest[0][:, :2].mean(0) - anchor) < 2 * width
        return nearest if near or len(faces) == 1 else faces[0]

    def finish(self, cut_frames: Sequence[int] = ()) -> tuple[FaceTrack, float]:
        """The smoothed track and the tracker's noise on the mouth points in pixels.

        `cut_frames` are first frames of shots found otherwise (face.shots): no window crosses them. A track
        without any face has confidence 0 everywhere and zero landmarks.
        """
        raw = np.stack(self._dense) if self._dense else np.zeros((0, N_DENSE, 3), np.float32)
        confidence = np.asarray(self._confidence, np.float32)
        present = confidence > 0
        noise = NoiseMeter()
        noise.add(to_68(raw)[:, MOUTH], present)
        steady = smoothed(s.fill_gaps(raw, present), present, self.fps, cut_frames)
        landmarks = to_68(steady)
        pose = np.zeros((len(raw), 3), np.float32)
        if present.any():
            pose = s.smooth_runs(head_pose(landmarks, self.size), present, s.windows(self.fps).rigid, 3)
        return FaceTrack(landmarks, steady, confidence, pose, self.size), noise.result()


def smoothed(dense: F32, present: np.ndarray, fps: float, cut_frames: Sequence[int] = ()) -> F32:
    """(T, 478, 3) meshes smoothed in time: every part of the face over its own window, within runs of seen frames.

    Args:
        dense: gaps filled.
        present: (T,) frames that show the face.
        cut_frames: first frames of shots; no window crosses them, nor a jump of the face (`cuts`).
    """
    if not len(dense):
        return dense
    frames = s.windows(fps)
    seen = present & ~cuts(dense, fps)
    seen[list(cut_frames)] = False
    steady = s.smooth_runs(dense, seen, frames.rigid, 3)
    groups = ((LOWER_FACE, frames.jaw), (LIDS + IRISES, frames.lid), (LIPS, frames.lip))
    for group, window in groups:
        steady[:, group] = s.smooth_runs(dense[:, group], seen, window)
    return steady


def cuts(dense: F32, fps: float = s.WINDOWS_FPS) -> np.ndarray:
    """(T,) True on the first frame after the face jumped: smoothing windows end there.

    Slower rates leave the face more time between two frames; faster ones keep the bound, the tracker's own
    jitter does not shrink with the frame time.
    """
    if len(dense) < 2:
        return np.zeros(len(dense), bool)
    centre = dense[..., :2].mean(1)
    width = np.maximum(np.ptp(dense[..., 0], axis=1), 1e-3)
    jump = np.linalg.norm(np.diff(centre, axis=0), axis=1) > _CUT_JUMP * max(s.WINDOWS_FPS / fps, 1.0) * width[1:]
    return np.concatenate([[False], jump])
