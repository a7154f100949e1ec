"""Cuts as SyncNet's pipeline finds them: PySceneDetect's content detector with its defaults.

A frame begins another shot when hue, saturation and value differ from the frame before by 27 on average (8-bit
values, pictures scaled to 256 px wide). Cuts within 15 frames of another such frame are the same event.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import U8

THRESHOLD = 27.0
LEAST_FRAMES = 15
_WIDTH = 256


def content_cuts(frames: Iterable[U8]) -> list[int]:
    """First frames of all shots but the first, for RGB frames in order."""
    cuts: list[int] = []
    before: NDArray[np.int16] | None = None
    last = 0
    for t, frame in enumerate(frames):
        now = _hsv(frame)
        if before is not None and float(np.abs(now - before).mean()) >= THRESHOLD:
            if t - last >= LEAST_FRAMES:
                cuts.append(t)
            last = t
        before = now
    return cuts


def _hsv(rgb8: U8) -> NDArray[np.int16]:
    scale = max(1.0, rgb8.shape[1] / _WIDTH)
    size = (round(rgb8.shape[1] / scale), max(1, round(rgb8.shape[0] / scale)))
    small = cv2.resize(rgb8, size, interpolation=cv2.INTER_LINEAR) if scale > 1 else rgb8
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2HSV), dtype=np.int16)
