"""The footage a persona speaks over: frames and the tracks they need, mouth-free where it matters."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from lipwright.core.contracts import F32, Conditions, FaceTrack
from lipwright.core.errors import PersonaError
from lipwright.core.files import atomic_file
from lipwright.media.color import ColorTags
from lipwright.media.cut import copy_frames
from lipwright.media.store import FrameStore
from lipwright.motion.normalise import cheeks, normalise, nose_centre, production_scale
from lipwright.subject.store import Subject


@dataclass(frozen=True)
class Template:
    """A stretch of footage with its face track."""

    path: Path
    """Video of exactly the tracked frames, constant rate."""
    track: FaceTrack
    first: int = 0
    """Frame of the video that the track begins with."""

    @cached_property
    def store(self) -> FrameStore:
        """The frames."""
        return FrameStore(self.path)

    @property
    def fps(self) -> Fraction:
        """Frames per second."""
        return self.store.fps

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.store.size

    @property
    def color(self) -> ColorTags:
        """Colour tags to carry to the result."""
        return self.store.info.color

    @cached_property
    def scale_px(self) -> float:
        """Pixels per normalised unit (motion.normalise.production_scale)."""
        return production_scale(self.track.landmarks_px, self.track.confidence)

    @cached_property
    def centre_px(self) -> F32:
        """(T, 2) nose centres."""
        return nose_centre(self.track.landmarks_px)

    @cached_property
    def conditions(self) -> Conditions:
        """Pose and cheeks of every frame."""
        points = normalise(self.track.landmarks_px, self.scale_px)
        return Conditions(self.track.pose_rad, cheeks(points))

    def part(self, first: int, stop: int) -> Template:
        """Frames [first, stop) of this template."""
        return Template(self.path, self.track[first:stop], self.first + first)

    @classmethod
    def of_subject(cls, subject: Subject) -> Template:
        """All frames of a prepared subject, in place."""
        return cls(subject.path / "frames.mp4", subject.track)

    def save(self, folder: Path) -> None:
        """Copy frames (bit for bit) and track into a persona folder."""
        start, n = copy_frames(self.path, folder / "template.mp4", self.first, len(self.track))
        skip = self.first - start  # the copy begins at the keyframe before
        with atomic_file(folder / "template.npz") as temporary, temporary.open("wb") as stream:
            np.savez_compressed(
                stream,
                landmarks_px=self.track.landmarks_px,
                pose_rad=self.track.pose_rad,
                confidence=self.track.confidence,
                good=self.track.good,
                **({} if self.track.contour_px is None else {"contour_px": self.track.contour_px}),
                first=np.int64(skip),
            )
        if n < skip + len(self.track):
            raise PersonaError(f"{self.path} ended early while it was copied; check the disk and train again")

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Template:
        """Read what `save` wrote; PersonaError when it is missing or damaged."""
        folder = Path(folder)
        video, arrays = folder / "template.mp4", folder / "template.npz"
        for file in (video, arrays):
            if not file.is_file():
                raise PersonaError(f"{folder} lacks {file.name}; copy the whole persona folder again or retrain")
        store = FrameStore(video)
        try:
            with open(arrays, "rb") as stream, np.load(stream) as data:
                landmarks = data["landmarks_px"]
                track = FaceTrack(
                    landmarks,
                    np.zeros((len(landmarks), 0, 3), np.float32),
                    data["confidence"],
                    data["pose_rad"],
                    store.size,
                    data.get("good"),  # older personas do not say: wherever a face is
                    data.get("contour_px"),
                )
                template = cls(video, track, int(data["first"]))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
            raise PersonaError(f"{arrays} is damaged ({error}); copy the persona again or retrain") from error
        if len(store) < template.first + len(track):
            raise PersonaError(f"{video} is shorter than its track; copy the persona again or retrain")
        return template
