"""The person in low definition: a square around the face, 256 pixels wide, which a teacher draws mouths into.

Wav2Lip draws faces of 96 pixels, so more definition would be lost in any case (SPEC 5, "pseudo video details"). The
whole frame is made smaller until the face has that height; the portrait is a part of the small frame. A camera sees the
small frame as it saw the large one, so a face fitted to the footage fits the portrait with the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.errors import SubjectError
from lipwright.core.progress import Progress, track
from lipwright.face.smooth import runs
from lipwright.media.settings import STORE
from lipwright.media.writer import VideoWriter
from lipwright.persona.template import Template
from lipwright.subject.store import Subject

SIDE = 256
"""Pixels of the square."""
FACE = 96
"""Pixels from brows to chin: a detector's box, with the forehead above, is the network's square."""
_LOWER = 0.06
"""Of the side by which the face's middle lies above that of the square: necks are longer than foreheads."""
LEAST_S = 2.0
"""Seconds of good frames in a row that can be spoken over."""


@dataclass(frozen=True)
class Portrait:
    """Where the portrait lies in the footage, and the footage seen through it."""

    template: Template
    """Frames of 256 x 256 with their track."""
    scale: float
    """Small pixels per pixel of the footage."""
    corner: tuple[int, int]
    """(x, y) of the portrait in the small frame, may lie outside it."""
    size: tuple[int, int]
    """(width, height) of the small frame."""

    @cached_property
    def stretches(self) -> list[tuple[int, int]]:
        """(start, stop) of good frames that are long enough to speak over, the longest first."""
        least = LEAST_S * float(self.template.fps)
        return sorted((r for r in runs(self.template.track.good) if r[1] - r[0] >= least), key=lambda r: r[0] - r[1])

    def in_frame(self, seen: FaceTrack) -> FaceTrack:
        """A track of portrait pictures as one of small frames, whose camera the fitted face knows."""
        by = np.array(self.corner, np.float32)
        dense = seen.dense_px.copy()
        dense[..., :2] += by
        return replace(seen, landmarks_px=seen.landmarks_px + by, dense_px=dense, size=self.size, contour_px=None)

    def on_frame(self, picture: U8) -> U8:
        """A portrait picture where it lies in an otherwise black small frame."""
        width, height = self.size
        x, y = self.corner
        canvas = np.zeros((height, width, 3), np.uint8)
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + SIDE, width), min(y + SIDE, height)
        canvas[y0:y1, x0:x1] = picture[y0 - y : y1 - y, x0 - x : x1 - x]
        return canvas


def place(landmarks_px: F32, size: tuple[int, int]) -> tuple[float, tuple[int, int], tuple[int, int]]:
    """Scale, corner and small size for (T, 68, 2) points in frames of `size`: faces 96 px high, in the middle."""
    high = float(np.median(np.ptp(landmarks_px[..., 1], axis=1)))
    scale = FACE / max(high, 1e-6)
    middle = np.median((landmarks_px.min(1) + landmarks_px.max(1)) / 2, axis=0) * scale
    corner = np.round(middle - SIDE / 2 + [0, SIDE * _LOWER]).astype(int)
    width, height = (max(round(side * scale), 1) for side in size)
    return scale, (int(corner[0]), int(corner[1])), (width, height)


def portrait(subject: Subject, folder: Path, progress: Progress) -> Portrait:
    """The portrait of a subject, its video kept in `folder`. SubjectError when no 2 s in a row can be spoken over."""
    seen, path = subject.track, folder / "portrait.mp4"
    if not seen.good.any():
        raise SubjectError(f"{subject.path} shows no usable face; prepare other footage")
    scale, corner, size = place(seen.landmarks_px[seen.good], subject.size)
    if not path.is_file():
        with VideoWriter(path, (SIDE, SIDE), subject.fps, STORE) as writer:
            for frame in track(subject.frames.read(), progress, "portrait", len(subject)):
                writer.write(cropped(frame, scale, corner))
    # Pixel centres: the centre of pixel 0 lies half a pixel inside the frame at any size.
    shift = 0.5 * scale - 0.5 - np.array(corner, np.float32)
    landmarks = (seen.landmarks_px * scale + shift).astype(np.float32)
    contour = None if seen.contour_px is None else (seen.contour_px * np.float32(scale)).astype(np.float32)
    small = FaceTrack(
        landmarks, np.zeros((len(seen), 0, 3), np.float32), seen.confidence, seen.pose_rad, (SIDE, SIDE), seen.usable,
        contour,
    )  # fmt: skip
    made = Portrait(Template(path, small), scale, corner, size)
    if not made.stretches:
        raise SubjectError(f"{subject.path} has no {LEAST_S:g} s in a row with a usable face; use longer footage")
    return made


def cropped(frame: U8, scale: float, corner: tuple[int, int]) -> U8:
    """(256, 256, 3) of a frame made `scale` times as large, from `corner` on; beyond the frame its edge goes on."""
    shrink = max(int(1 / scale), 1)
    if shrink > 1:  # means first, or fine detail would fold into coarse
        height, width = frame.shape[:2]
        frame = np.asarray(cv2.resize(frame, (width // shrink, height // shrink), interpolation=cv2.INTER_AREA))
    s = scale * shrink
    map_ = np.array([[s, 0, 0.5 * s - 0.5 - corner[0]], [0, s, 0.5 * s - 0.5 - corner[1]]], np.float32)
    return np.asarray(
        cv2.warpAffine(frame, map_, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
