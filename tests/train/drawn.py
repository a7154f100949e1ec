"""A drawn mouth that opens and closes, for tests and for the programs they start."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.ibug import JAW_LINE, MOUTH
from lipwright.face.contour import outline_px
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.oracle.config import OracleConfig
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.packed import save_packed as save_heads
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


SKETCH = TranslationConfig(
    mode="full-face", size=256, ngf=4, n_downs=3, n_blocks=1, ndf=4, n_scales=1, attention=False,
    mouth_discriminator=False,
)  # fmt: skip
HEARS = CrossModalConfig(size=256, width=2, ndf=4, n_scales=1, window=3, speech_dim=2)


def write_heads(path: Path) -> None:
    """The same for virtual-human; its speech tells how far the mouth is open."""
    frames, landmarks, pose = drawn()
    count = len(frames)
    track = FaceTrack(landmarks, np.zeros((count, 478, 3), np.float32), np.ones(count, np.float32), pose, (128, 128))
    outlines = outline_px(np.full((count, 33), 50, np.float32), landmarks)
    oracle = OracleConfig(mouth=SKETCH, head=SKETCH)
    data = OracleData.from_frames(frames, track, outlines, oracle, np.arange(16), np.arange(16, count))
    opening = np.sin(np.arange(count)[:, None] / 2 + np.array([-0.5, 0, 0.5]))
    save_heads(path, data, np.stack([opening, opening**2], -1).astype(np.float32), HEARS, oracle)
