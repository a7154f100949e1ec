from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import Conditions
from lipwright.motion.data import MotionClip


def face_at_rest() -> np.ndarray:
    """(29, 2): two ellipses of lips, iBUG order from the left corner over the top, and a chin arc."""
    outer, inner, jaw = (np.linspace(0, 2 * np.pi, n, endpoint=False) for n in (12, 8, 16))
    lips = [
        np.stack([-w * np.cos(a), 0.15 - h * np.sin(a)], 1) for a, w, h in ((outer, 0.09, 0.04), (inner, 0.07, 0.01))
    ]
    arc = np.stack([-0.2 * np.cos(jaw[:9]), 0.15 + 0.15 * np.sin(jaw[:9])], 1)
    return np.concatenate([*lips, arc])


def make_clip(frames: int = 320, seed: int = 0, delay: int = 0, scale_px: float = 500.0) -> MotionClip:
    """A made-up person: loudness in the filterbank opens lips and jaw, yaw and roll move the whole mouth."""
    rng = np.random.default_rng(seed)
    drive = np.convolve(rng.normal(0, 1, frames + 40), np.hanning(9), "same")[20:-20]
    drive = np.clip(drive / drive.std(), -2, 2)
    slow = np.convolve(rng.normal(0, 1, frames + 200), np.hanning(75), "same")[100:-100]
    slow /= slow.std()
    pose = np.stack([0.1 * slow, 0.05 * np.roll(slow, 30), 0.03 * np.roll(slow, 60)], 1)
    rest = face_at_rest()
    opening = np.zeros((29, 2))
    opening[[7, 8, 9, 17, 18, 19], 1], opening[20:, 1] = 0.02, 0.015
    landmarks = rest + np.roll(drive, delay)[:, None, None] * opening
    landmarks = landmarks + 0.3 * pose[:, None, 1:2] + 1e-4 * rng.normal(0, 1, (frames, 29, 2))
    cheeks = np.linspace(-0.3, 0.3, 16).reshape(8, 2) + 0.4 * pose[:, None, 1:2]
    bands = np.linspace(0.5, 1.5, 26)
    rows = np.repeat(drive, 4)[:, None] * bands - 8 + 0.1 * rng.normal(0, 1, (4 * frames, 26))
    return MotionClip(
        {"logfbank": rows.astype(np.float32)},
        landmarks.astype(np.float32),
        Conditions(pose.astype(np.float32), cheeks.astype(np.float32)),
        np.ones(frames, np.float32),
        scale_px,
    )


@pytest.fixture(scope="session")
def clip() -> MotionClip:
    return make_clip()


@pytest.fixture(scope="module")
def spoken() -> MotionClip:
    """A made-up person whose lips shut for 3 frames every 20, and phones that say 'M' there."""
    from .test_lips import talking

    clip, (points, rows) = make_clip(400), talking()
    heard = {"logfbank": clip.features["logfbank"], "phones": rows, "pauses": np.zeros((400, 2), np.float32)}
    return MotionClip(heard, points, clip.conditions, clip.weight)
