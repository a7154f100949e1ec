"""The second pass: the chosen face of every frame, smoothed, written while it passes.

Nothing as long as the footage is in memory but a few numbers per frame (`Curves`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.ibug import MOUTH, lip_aperture
from lipwright.face.landmarks68 import to_68
from lipwright.face.noise import NoiseMeter
from lipwright.face.pose import PoseFinder
from lipwright.face.smooth import smooth_runs, windows
from lipwright.face.track import smoothed
from lipwright.face.tracker import N_DENSE
from lipwright.subject.arrays import array_file
from lipwright.subject.pieces import CHUNK, FilledMesh, Pieces, chunks

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Curves:
    """What is kept of every frame."""

    pose_rad: F32
    """(T, 3) smoothed."""
    lips: F32
    """(T,) opening of the inner lips in px."""
    width_px: F32
    """(T,) ear to ear."""
    noise_px: float
    """The tracker's own noise on the mouth points, before smoothing."""


@dataclass(frozen=True)
class Chosen:
    """Which face is followed, and where it may be smoothed."""

    which: NDArray[np.int64]
    """(T,) place among the faces of its frame; -1 without."""
    confidence: F32
    """(T,) 0 without a face."""
    cut_frames: tuple[int, ...]
    """First frames of shots: no smoothing window crosses them."""

    @property
    def present(self) -> Bools:
        """(T,) whether the face is seen."""
        return np.asarray(self.which >= 0)


ReadPoints = Callable[[int, int], F32]
"""(start, stop) to (stop - start, 68, 2) smoothed landmarks."""


def write_track(
    folder: Path,
    work: Path,
    pieces: Pieces,
    chosen: Chosen,
    size: tuple[int, int],
    fps: Fraction,
    judge: Callable[[F32, ReadPoints], Bools],
    refine: Callable[[Points, Bools], object] = lambda points, usable: None,
    tick: Callable[[int], None] = lambda done: None,
) -> Curves:
    """landmarks.npz and pose.npz of a subject folder.

    Args:
        work: folder for a file of half a kilobyte a frame that is gone when this returns.
        judge: (T, 3) poses and the landmarks to (T,) usable frames.
        refine: may write better landmarks of the usable frames; the mesh stays as it was tracked.
        tick: called with the number of frames done.
    """
    total = len(pieces)
    tracer = _Tracer(pieces, chosen, size, fps)
    points = Points(work / "points.raw")
    try:
        with array_file(folder / "landmarks.npz") as file:
            with points.path.open("wb") as stream:
                file.stream("dense_px", (total, N_DENSE, 3), np.float32, tracer.meshes(stream.write, tick))
            curves = tracer.curves()
            usable = judge(curves.pose_rad, points.read)
            refine(points, usable & chosen.present)
            file.stream("landmarks_px", (total, 68, 2), np.float32, points.chunks(total))
            file.stream("landmarks_normalised", (total, 68, 2), np.float32, map(_normalised, points.chunks(total)))
            file.write("confidence", chosen.confidence)
            file.write("usable", usable)
    finally:
        points.path.unlink(missing_ok=True)
    with array_file(folder / "pose.npz") as file:
        file.write("pose_rad", curves.pose_rad)
    return curves


def halo(fps: Fraction) -> int:
    """Frames at each end of a stretch whose smoothing may differ from the whole's: the longest window."""
    return windows(float(fps)).rigid


class _Tracer:
    """Makes smoothed meshes chunk by chunk and notes curves on the way."""

    def __init__(self, pieces: Pieces, chosen: Chosen, size: tuple[int, int], fps: Fraction) -> None:
        total = len(pieces)
        self._mesh, self._chosen, self._fps = FilledMesh(pieces, chosen.which), chosen, fps
        self._pose, self._noise = PoseFinder(size), NoiseMeter()
        self._raw_pose = np.zeros((total, 3), np.float32)
        self._lips = np.zeros(total, np.float32)
        self._width = np.zeros(total, np.float32)

    def meshes(self, keep: Callable[[bytes], object], tick: Callable[[int], None]) -> Iterator[F32]:
        """Smoothed (n, 478, 3) chunks; their (n, 68, 2) points go to `keep` as bytes."""
        total, reach = len(self._width), halo(self._fps)
        present = self._chosen.present
        for start, stop in chunks(total):
            low, high = max(start - reach, 0), min(stop + reach, total)
            raw = self._mesh.read(low, high)
            cuts = [t - low for t in self._chosen.cut_frames if low <= t < high]
            mesh = smoothed(raw, present[low:high], float(self._fps), cuts)[start - low : stop - low]
            self._noise.add(to_68(raw[start - low : stop - low])[:, MOUTH], present[start:stop])
            points = to_68(mesh)
            keep(points.tobytes())
            self._note(start, stop, points)
            yield mesh
            tick(stop)

    def _note(self, start: int, stop: int, points: F32) -> None:
        if self._chosen.present.any():
            self._raw_pose[start:stop] = self._pose(points)
        self._lips[start:stop] = lip_aperture(points)
        self._width[start:stop] = np.linalg.norm(points[:, 16] - points[:, 0], axis=-1)

    def curves(self) -> Curves:
        """After all meshes have passed."""
        pose = smooth_runs(self._raw_pose, self._chosen.present, windows(float(self._fps)).rigid, 3)
        return Curves(pose, self._lips, self._width, self._noise.result())


@dataclass(frozen=True)
class Points:
    """(T, 68, 2) float32 in a plain file."""

    path: Path

    def read(self, start: int, stop: int) -> F32:
        """(stop - start, 68, 2)."""
        values = np.fromfile(self.path, np.float32, (stop - start) * 136, offset=start * 136 * 4)
        return values.reshape(-1, 68, 2)

    def write(self, start: int, values: F32) -> None:
        """(n, 68, 2) in the place of frames start to start + n."""
        with self.path.open("r+b") as stream:
            stream.seek(start * 136 * 4)
            stream.write(np.ascontiguousarray(values, np.float32).tobytes())

    def chunks(self, total: int) -> Iterator[F32]:
        """All of them, in order."""
        for start, stop in chunks(total, 4 * CHUNK):
            yield self.read(start, stop)


def _normalised(points: F32) -> F32:
    """Centred at the nose, each frame scaled to norm 1."""
    centred = points - points[:, 27:36].mean(1, keepdims=True)
    scale = np.maximum(np.linalg.norm(centred, axis=(1, 2)), 1e-6)[:, None, None]
    return (centred / scale).astype(np.float32)
