"""Talking faces out of prepared subjects: portraits as they are spoken over, cut as the network sees them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lipwright.core.clock import sample_of
from lipwright.core.contracts import F32, U8
from lipwright.core.errors import SubjectError
from lipwright.core.progress import Progress, track
from lipwright.evaluate.syncnet import source_frames
from lipwright.face.smooth import runs
from lipwright.recipes.teacher.portrait import SIDE, cropped, place
from lipwright.render.teacher.data import LEAST_FRAMES, TalkingFace
from lipwright.render.teacher.faces import face_boxes, seen
from lipwright.subject.store import Subject

_CLIP = 250


def faces_of(frames: Iterable[U8], landmarks_px: F32, size: tuple[int, int]) -> U8:
    """(T, 96, 96, 3) BGR of T frames of (width, height), made as small as a portrait first."""
    scale, corner, _ = place(landmarks_px, size)
    small = landmarks_px * np.float32(scale) + (0.5 * scale - 0.5 - np.array(corner, np.float32))
    boxes = face_boxes(small, (SIDE, SIDE))
    return np.stack([seen(cropped(f, scale, corner), b) for f, b in zip(frames, boxes, strict=True)])


def talking_faces(subject: Subject, progress: Progress) -> list[TalkingFace]:
    """Stretches of up to 10 s of a subject at 25 fps. SubjectError when it has none."""
    index = source_frames(len(subject), subject.fps)
    good = subject.track.good[index]
    spans = [(a, min(a + _CLIP, stop)) for start, stop in runs(good) for a in range(start, stop, _CLIP)]
    spans = [(a, b) for a, b in spans if b - a >= LEAST_FRAMES]
    if not spans:
        raise SubjectError(f"{subject.path} has no second with a usable face in all of it; use other footage")
    found = []
    for a, b in track(spans, progress, f"faces of {subject.path.name}", len(spans)):
        wanted = index[a:b]
        first, count = int(wanted[0]), int(wanted[-1] - wanted[0]) + 1
        frames = list(subject.frames.read(first, count))
        sound = slice(sample_of(a), sample_of(b))
        made = faces_of((frames[t - first] for t in wanted), subject.track.landmarks_px[wanted], subject.size)
        found.append(TalkingFace(made, np.asarray(subject.samples[sound], np.float32)))
    return found
