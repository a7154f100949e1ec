"""A drawn person: a shaded face whose mouth and chin follow a known opening, with a moving head."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.ibug import INNER_LIPS, JAW_LINE, OUTER_LIPS

SIZE = 128


@dataclass(frozen=True)
class Person:
    frames: U8
    landmarks: F32
    pose: F32

    def track(self) -> FaceTrack:
        count = len(self.frames)
        dense = np.zeros((count, 478, 3), np.float32)
        return FaceTrack(self.landmarks, dense, np.ones(count, np.float32), self.pose, (SIZE, SIZE))


def face_shape(opening: float) -> F32:
    """68 points of a face about 80 px wide around the origin; `opening` pixels between the inner lips."""
    points = np.zeros((68, 2))
    angle = np.linspace(np.pi, 0, 17)
    points[JAW_LINE] = np.stack([40 * np.cos(angle), -5 + (42 + opening) * np.sin(angle)], -1)
    points[17:22] = np.stack([np.linspace(-30, -8, 5), [-28, -31, -32, -31, -29]], -1)
    points[22:27] = np.stack([np.linspace(8, 30, 5), [-29, -31, -32, -31, -28]], -1)
    points[27:31] = np.stack([np.zeros(4), np.linspace(-20, -2, 4)], -1)
    points[31:36] = np.stack([np.linspace(-8, 8, 5), [2, 3, 4, 3, 2]], -1)
    ring = np.linspace(np.pi, -np.pi, 7)[:6]
    eye = np.stack([7 * np.cos(ring), -3 * np.sin(ring)], -1)
    points[36:42], points[42:48] = eye + np.array([-18, -20]), eye + np.array([18, -20])
    middle, half = 16 + opening / 2, opening / 2
    turn = np.linspace(np.pi, -np.pi, 13)[:12]
    points[OUTER_LIPS] = np.stack([16 * np.cos(turn), middle - (4 + half) * np.sin(turn)], -1)
    turn = np.linspace(np.pi, -np.pi, 9)[:8]
    points[INNER_LIPS] = np.stack([12 * np.cos(turn), middle - half * np.sin(turn)], -1)
    return points.astype(np.float32)


def draw(points: F32, background: U8) -> U8:
    def polygon(picture: U8, indices: list[int], colour: tuple[int, int, int]) -> None:
        fixed = np.round(points[indices] * 16).astype(np.int32)
        cv2.fillPoly(picture, [fixed], colour, cv2.LINE_AA, 4)

    picture = background.copy()
    forehead = [*JAW_LINE, 26, 25, 24, 19, 18, 17]
    polygon(picture, forehead, (205, 160, 140))
    polygon(picture, list(range(36, 42)), (240, 240, 240))
    polygon(picture, list(range(42, 48)), (240, 240, 240))
    polygon(picture, OUTER_LIPS, (170, 80, 85))
    polygon(picture, INNER_LIPS, (60, 20, 25))
    return picture


@pytest.fixture(scope="session")
def person() -> Person:
    count = 48
    rng = np.random.default_rng(3)
    background = cv2.resize(rng.integers(0, 255, (8, 8, 3)).astype(np.uint8), (SIZE, SIZE))
    t = np.arange(count) / 6
    opening = 4.5 + 4 * np.sin(2.1 * t)
    pose = np.stack([0.05 * np.sin(t), 0.08 * np.cos(0.7 * t), 0.04 * np.sin(0.4 * t)], -1).astype(np.float32)
    landmarks = np.empty((count, 68, 2), np.float32)
    for i in range(count):
        c, s = np.cos(pose[i, 2]), np.sin(pose[i, 2])
        turned = face_shape(opening[i]) @ np.array([[c, s], [-s, c]], np.float32)
        landmarks[i] = turned + np.array([64 + 20 * pose[i, 1], 62 + 15 * pose[i, 0]])
    return Person(np.stack([draw(p, background) for p in landmarks]), landmarks, pose)
