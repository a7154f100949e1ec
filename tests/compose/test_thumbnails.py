from __future__ import annotations

import numpy as np
import pytest

from lipwright.compose.thumbnails import thumbnail_distance
from lipwright.core.contracts import FaceTrack
from lipwright.core.ibug import JAW, MOUTH


def still_face(n: int) -> FaceTrack:
    landmarks = np.full((n, 68, 2), 96.0, np.float32)
    angles = np.linspace(0, 2 * np.pi, len(MOUTH + JAW), endpoint=False)
    landmarks[:, MOUTH + JAW] = 96 + 30 * np.stack([np.cos(angles), np.sin(angles)], -1)
    none = np.zeros((n, 0, 3), np.float32)
    return FaceTrack(landmarks, none, np.ones(n, np.float32), np.zeros((n, 3), np.float32), (192, 192))


def test_a_moved_hand_counts_and_the_mouth_does_not() -> None:
    frames = np.full((4, 192, 192, 3), 100, np.uint8)
    frames[1, 80:112, 80:112] = 200  # inside the mouth
    frames[2, 0:20, 0:20] = 200  # a hand of one per cent of the picture
    frames[3] += 10  # lighter all over
    asked: list[int] = []

    def picture(index: int) -> np.ndarray:
        asked.append(index)
        return frames[index]

    distance = thumbnail_distance(picture, still_face(4))
    assert distance(0, 0) == 0
    assert distance(0, 1) == 0
    worst = int(0.05 * 96 * 96)
    assert distance(0, 2) == pytest.approx(100 * np.sqrt(100 / worst), rel=1e-3)
    assert distance(0, 3) == pytest.approx(10)
    assert distance(2, 0) == distance(0, 2)
    assert sorted(asked) == [0, 1, 2, 3], "each picture is decoded once"
