"""Small signatures of frames and faces, gathered while frames pass: frames pass only once.

Shots (`face.shots`), persons (`face.choose`), covers (`face.cover`) and captions (`face.overlay`) are found from
them afterwards, and from both which frames are usable (`face.usable`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.face.overlay import StillEdges
from lipwright.face.scene import N_SCENE, scene
from lipwright.face.skin import POINTS, skin
from lipwright.face.tracker import N_DENSE

MAX_FACES = 4
"""Faces kept per frame, the largest."""


class PeopleSigns:
    """Gathers what must be known of the frames of one piece, all of one size.

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
