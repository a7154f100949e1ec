"""People in footage, in two steps: signatures while frames pass, and everything that follows from them.

signs = PeopleSigns(fps)                 # per piece of footage
for rgb8 in frames: signs.add(rgb8, tracker.detect(rgb8))
pieces.append(signs.arrays())
people = find_people(pieces, size, fps)  # shots, persons, the track, what is usable and why not
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.face.choose import Box, Person, choose_track
from lipwright.face.cover import cover
from lipwright.face.faces import Faces
from lipwright.face.overlay import StillEdges, block_frames, overlay
from lipwright.face.scene import N_SCENE, scene
from lipwright.face.shots import shots
from lipwright.face.skin import POINTS, UPPER, skin
from lipwright.face.track import TrackBuilder
from lipwright.face.tracker import N_DENSE
from lipwright.face.usable import Stretch, Stretches, frozen_frames, usability

MAX_FACES = 4
"""Faces kept per frame, the largest."""


class PeopleSigns:
    """Gathers what `find_people` needs from the frames of one piece, all of one size.

    Args:
        fps: frames per second.
    """

    def __init__(self, fps: float) -> None:
        self._edges = StillEdges(fps)
        self._scene: list[U8] = []
        self._faces: list[list[tuple[F32, float, U8]]] = []

    def add(self, rgb8: U8, faces: Sequence[tuple[F32, float]]) -> None:
        """One RGB frame at the size the tracker saw, and what the tracker found in it."""
        self._scene.append(scene(rgb8))
        self._edges.add(rgb8)
        self._faces.append([(dense, score, skin(rgb8, dense)) for dense, score in faces[:MAX_FACES]])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays for one piece of T frames with at most F faces; ends the gathering.

        dense (T, F, 478, 3) float32 px, confidence (T, F) float32 (0 where there is none),
        skin (T, F, P, 3) uint8, scene (T, N_SCENE) uint8, still (B, rows, columns) uint8.
        """
        n, most = len(self._faces), max((len(f) for f in self._faces), default=0)
        dense = np.zeros((n, max(most, 1), N_DENSE, 3), np.float32)
        confidence = np.zeros((n, max(most, 1)), np.float32)
        skins = np.zeros((n, max(most, 1), len(POINTS), 3), np.uint8)
        for t, seen in enumerate(self._faces):
            for k, (points, score, colours) in enumerate(seen):
                dense[t, k], confidence[t, k], skins[t, k] = points, score, colours
        pictures = np.stack(self._scene) if self._scene else np.zeros((0, N_SCENE), np.uint8)
        return {
            "dense": dense,
            "confidence": confidence,
            "skin": skins,
            "scene": pictures,
            "still": self._edges.counts(),
        }


@dataclass(frozen=True)
class People:
    """What was found in T frames."""

    track: FaceTrack
    """The person followed, smoothed; confidence 0 where that person is not seen."""
    noise_px: float
    """The tracker's noise on the mouth points."""
    usable: NDArray[np.bool_]
    """(T,) frames to learn from and to speak over."""
    stretches: list[Stretch]
    """All other frames, with the reason."""
    shots: list[tuple[int, int]]
    """[start, stop) without a cut."""
    persons: list[Person]
    """Ranked; `--face N` is the N-th."""
    caption_boxes: list[Box]
    """(x0, y0, x1, y1) px of captions and logos that lie over the chin."""
    caption_share: float
    """Share of frames in which one does."""


def find_people(
    pieces: Sequence[Mapping[str, NDArray[Any]]],
    size: tuple[int, int],
    fps: float,
    pick: int | Box | None = None,
    damaged: Stretches = (),
) -> People:
    """Follow one person through all pieces and say what is usable.

    Args:
        pieces: `PeopleSigns.arrays` of consecutive pieces of one film; open .npz files will do, they are read
            one by one.
        size: (width, height) px of the frames the tracker saw; all results are in these pixels.
        fps: frames per second.
        pick: None for the largest and steadiest person, a number of the ranked list, or a box (x0, y0, x1, y1)
            in which the wanted face lies first.
        damaged: [start, stop) frames that could not be decoded.

    FootageError when there is no such person.
    """
    faces = Faces(pieces)
    pictures = np.concatenate([p["scene"] for p in pieces])
    seen = (faces.confidence > 0).any(1)
    scenes = shots(pictures, faces.boxes(UPPER), fps)
    index, persons = choose_track(faces, size, fps, scenes.shots, pick)
    builder, mine = TrackBuilder(size, fps=fps), np.zeros((len(index), len(POINTS), 3), np.uint8)
    for t, k in enumerate(index):
        mesh, colours = faces.at(t, k) if k >= 0 else (None, 0)
        mine[t] = colours
        # A copy: a view would keep the whole piece in memory.
        builder.add([] if mesh is None else [(mesh.copy(), float(faces.confidence[t, k]))])
    track, noise = builder.finish([start for start, _ in scenes.shots[1:]])
    hidden = cover(mine, track.pose_rad, track.present, fps, scenes.shots)
    starts = _block_starts(pieces, fps)
    still = (
        np.concatenate([p["still"] for p in pieces if len(p["still"])])
        if len(starts)
        else np.zeros((0, 1, 1), np.uint8)
    )
    caption = overlay(still, starts, track.landmarks_px, track.present, size, fps)
    usable, stretches = usability(
        track,
        fps,
        shots=scenes.shots,
        transitions=scenes.transitions,
        covered=hidden.covered,
        captioned=caption.covered,
        someone=seen,
        frozen=frozen_frames(pictures, mine, fps),
        damaged=damaged,
    )
    share = float(caption.covered.mean()) if len(index) else 0.0
    return People(track, noise, usable, stretches, scenes.shots, persons, caption.boxes, share)


def _block_starts(pieces: Sequence[Mapping[str, NDArray[Any]]], fps: float) -> NDArray[np.int_]:
    """(B,) first frame of every block of all pieces."""
    starts, before = [], 0
    for piece in pieces:
        starts.append(before + block_frames(fps) * np.arange(len(piece["still"])))
        before += len(piece["confidence"])
    return np.concatenate(starts)
