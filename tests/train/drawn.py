"""A drawn mouth that opens and closes, for tests and for the programs they start."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import JAW_LINE, MOUTH
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.data import TranslationData
from lipwright.render.translation.packed import save_packed

CONFIG = TranslationConfig(size=64, ngf=4, n_downs=2, n_blocks=1, ndf=4, learning_rate=2e-3)


def drawn(count: int = 24) -> tuple[list[U8], F32, F32]:
    """Frames, landmarks and pose of a face whose chin and lips follow a sine."""
    frames, landmarks = [], np.zeros((count, 68, 2), np.float32)
    spread = np.random.default_rng(0).uniform(-25, 25, (68, 2))
    angle, turn = np.linspace(np.pi, 0, 17), np.linspace(0, 2 * np.pi, 20)
    for t in range(count):
        opening = 4 + 4 * np.sin(t / 2)
        points = spread + np.array([64, 44])
        points[JAW_LINE] = np.stack([64 + 34 * np.cos(angle), 58 + (38 + opening) * np.sin(angle)], -1)
        points[MOUTH] = np.stack([64 + 13 * np.cos(turn), 80 + (3 + opening) * np.sin(turn)], -1)
        landmarks[t] = points + np.array([np.cos(t / 5), np.sin(t / 7)])
        frame = np.full((128, 128, 3), (90, 120, 150), np.uint8)
        cv2.fillPoly(frame, [np.round(landmarks[t, JAW_LINE]).astype(np.int32)], (210, 170, 150))
        cv2.fillPoly(frame, [np.round(landmarks[t, MOUTH]).astype(np.int32)], (150, 40, 50))
        frames.append(frame)
    pose = np.stack([np.sin(np.arange(count) / k) * 0.05 for k in (5, 6, 7)], -1).astype(np.float32)
    return frames, landmarks, pose


def write(path: Path) -> None:
    """Pack it, 18 frames to learn from and 6 held out."""
    data = TranslationData.from_frames(*drawn(), CONFIG, np.arange(18), np.arange(18, 24))
    save_packed(path, data, CONFIG)
