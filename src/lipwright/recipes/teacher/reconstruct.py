"""Pseudo video to expression: the drawn pixels are tracked and the known face is fitted to them, as to any footage.

Geometry and texture are the target's and stay; expression, pose and light are found frame by frame (SPEC 5, step 3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np

from lipwright.core.clock import FPS
from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.errors import FootageError
from lipwright.core.files import make_folder
from lipwright.face.morphable.fit import Fit, FitConfig, follow
from lipwright.face.track import TrackBuilder
from lipwright.face.tracker import MediaPipeTracker
from lipwright.media.settings import STORE
from lipwright.media.store import FrameStore
from lipwright.media.writer import VideoWriter
from lipwright.recipes.teacher.portrait import SIDE, Portrait
from lipwright.recipes.teacher.speech import Utterance
from lipwright.recipes.teacher.teachers import VideoTeacher
from lipwright.subject.mouth import refine_mouths

_LEAST_TRUST = 0.3
"""Of the brightness samples that the face must explain for a frame to count."""


def pseudo_video(teacher: VideoTeacher, said: Utterance, index: int, path: Path) -> FaceTrack:
    """Draw an utterance into a file of 256 x 256 at 25 fps with its sound, and track the face in what was drawn."""
    make_folder(path.parent)
    tracker, builder = MediaPipeTracker(), TrackBuilder((SIDE, SIDE), float(FPS))
    try:
        with VideoWriter(path, (SIDE, SIDE), FPS, STORE, audio=said.samples) as writer:
            for frame in teacher.frames(said, index):
                writer.write(frame)
                builder.add(tracker.detect(frame))
    finally:
        tracker.close()
    seen = builder.finish()[0]
    if not seen.present.any():
        raise FootageError(f"no face was found in {path}, the pseudo video of '{said.name}'; look at it and report it")
    return refined(path, seen)


def refined(path: Path, seen: FaceTrack) -> FaceTrack:
    """Mouth points as `prepare` refines them, so that pseudo and own expression are measured alike."""
    points = seen.landmarks_px.copy()

    def write(first: int, values: F32) -> None:
        points[first : first + len(values)] = values

    refine_mouths([path], lambda a, b: points[a:b].copy(), write, seen.present, seen.size, float(FPS))
    return replace(seen, landmarks_px=points)


def reconstruct(portrait: Portrait, fit: Fit, seen: FaceTrack, pictures: Iterable[U8]) -> tuple[F32, F32]:
    """(T, E) expression and (T,) weights, 0 where no face is.

    Args:
        fit: of the target's own footage: model, geometry and texture.
        seen: track of T portrait pictures at 25 fps.
    """
    pictures = chain(pictures)
    whole = (portrait.on_frame(picture) for picture in pictures)
    c = fit.coefficients
    found = follow(fit.model, c.geometry, c.texture, portrait.in_frame(seen), whole, FitConfig())
    sure = seen.present & (found.trusted > _LEAST_TRUST)
    return found.coefficients.expression, sure.astype(np.float32)


def drawn(path: Path) -> FrameStore:
    """The pictures of a pseudo video."""
    return FrameStore(path)
