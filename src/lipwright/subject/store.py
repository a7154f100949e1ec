"""The Subject folder: prepared footage of one person, readable piece by piece.

subject.json    schema version, source hash, fps, sizes, splits, report, advice
frames.mp4      every frame, constant rate, short groups of pictures (media.settings.STORE)
report.png      the report as a picture
landmarks.npz   68 points (mouth refined) and the mesh as tracked in px, normalised points, confidence, usable frames
pose.npz        pitch, yaw, roll in radians
contour.npz     head contour, pixels along fixed rays
audio.wav       16 kHz mono, in sync with the pictures
cache/          features keyed by their config; may be deleted at any time
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.core.contracts import F32, FaceTrack
from lipwright.core.errors import SubjectError
from lipwright.core.files import write_json
from lipwright.media.audio import read_audio
from lipwright.media.store import FrameStore
from lipwright.subject.arrays import DAMAGED, mapped

SCHEMA = 3
"""1: 25 fps unless asked otherwise, no `usable`. 2: the footage's own rate, `usable` in landmarks.npz. 3: mouth points
refined, so that preparing again does not take what was tracked before."""
_USABLE_SINCE = 2


class NewerSubjectError(SubjectError):
    """A folder that a later version prepared; this one must not overwrite it."""


@dataclass(frozen=True)
class Subject:
    """A prepared person; cheap to open, heavy parts load when asked for."""

    path: Path
    info: dict[str, Any]

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Subject:
        """Open a subject folder; SubjectError when it is missing, unfinished or newer than this version."""
        folder = Path(path)
        file = folder / "subject.json"
        if not file.is_file():
            raise SubjectError(f"{folder} is not a prepared subject; run: lipwright prepare FOOTAGE -o {folder}")
        try:
            info = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SubjectError(f"{file} cannot be read ({error}); prepare the footage again") from error
        if not isinstance(info, dict) or not {"schema", "fps", "size", "n_frames", "splits"} <= set(info):
            raise SubjectError(f"{file} is not the description of a subject; prepare the footage again")
        if info["schema"] > SCHEMA:
            raise NewerSubjectError(
                f"{folder} was prepared by a newer lipwright (schema {info['schema']}, this one knows {SCHEMA}); "
                "update lipwright or prepare the footage again"
            )
        for name in ("frames.mp4", "landmarks.npz", "pose.npz", "contour.npz", "audio.wav"):
            if not (folder / name).is_file():
                raise SubjectError(f"{folder} lacks {name}; prepare the footage again")
        return cls(folder, info)

    @property
    def fps(self) -> Fraction:
        """Frames per second of everything in the folder."""
        return Fraction(self.info["fps"])

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frames."""
        width, height = self.info["size"]
        return width, height

    @property
    def report(self) -> dict[str, Any]:
        """What `prepare` measured."""
        report: dict[str, Any] = self.info["report"]
        return report

    @property
    def advice(self) -> list[str]:
        """What `prepare` recommends, in words."""
        return list(self.info["advice"])

    @cached_property
    def frames(self) -> FrameStore:
        """Seekable frames."""
        return FrameStore(self.path / "frames.mp4")

    @cached_property
    def track(self) -> FaceTrack:
        """The face in every frame."""
        points = self.path / "landmarks.npz"
        return FaceTrack(
            self._array(points, "landmarks_px"),
            self._array(points, "dense_px", on_disk=True),
            self._array(points, "confidence"),
            self._array(self.path / "pose.npz", "pose_rad"),
            self.size,
            self._array(points, "usable") if self.info["schema"] >= _USABLE_SINCE else None,
            self.contour_px,
        )

    def _array(self, file: Path, name: str, on_disk: bool = False) -> np.ndarray:
        """A member of a file; `on_disk` leaves it there and reads what is looked at."""
        try:
            values = mapped(file, name)
            return values if on_disk else np.array(values)
        except DAMAGED as error:
            raise SubjectError(f"{file} is damaged or lacks {name} ({error}); prepare the footage again") from error

    @cached_property
    def contour_px(self) -> F32:
        """(T, rays) head contour (face.contour)."""
        return self._array(self.path / "contour.npz", "radii_px")

    @cached_property
    def samples(self) -> F32:
        """(S,) speech, 16 kHz mono."""
        return read_audio(self.path / "audio.wav")

    def __len__(self) -> int:
        return int(self.info["n_frames"])

    def split(self, name: str) -> range:
        """Frames of 'train' or 'validation': by time, never interleaved, with a gap between."""
        start, stop = self.info["splits"][name]
        return range(start, stop)

    def usable(self, name: str) -> np.ndarray:
        """Frame numbers of a split that show the face within the usable range."""
        frames = np.asarray(self.split(name))
        return frames[self.track.good[frames]]


def save_info(folder: Path, info: dict[str, Any]) -> None:
    """Write subject.json: the last file of a preparation, so its presence means the rest is whole."""
    write_json(folder / "subject.json", {"schema": SCHEMA, **info})


def time_splits(n_frames: int, fps: Fraction) -> dict[str, list[int]]:
    """Train and validation frames: the last tenth validates, 3 s before it are left out.

    Below 40 s the gap shrinks with the footage, so that little footage is not wasted.
    """
    validation = max(n_frames // 10, 1)
    gap = min(round(3 * fps), validation // 2)
    return {"train": [0, n_frames - validation - gap], "validation": [n_frames - validation, n_frames]}
