"""Wav2Lip's squares: where a face lies, how a network sees it, and how what it draws goes back."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.render.teacher.networks import SIDE, Wav2Lip

BELOW_PX = 10
"""Pixels added below the face: the script's `--pads 0 10 0 0`."""
_FOREHEAD = 0.25
"""Of the height from brows to chin: how far a detector's box reaches above the brows. Ours; the script has S3FD."""
_SMOOTH = 5
"""Frames over which boxes are averaged, as in the script."""


def face_boxes(landmarks_px: F32, size: tuple[int, int], below: float = BELOW_PX) -> NDArray[np.int64]:
    """(T, 4) x0, y0, x1, y1 inside frames of (width, height), averaged over five frames.

    `below` pixels are added under the chin.
    """
    low, high = landmarks_px.min(1), landmarks_px.max(1)
    top = low[:, 1] - _FOREHEAD * (high[:, 1] - low[:, 1])
    raw = np.stack([low[:, 0], top, high[:, 0], high[:, 1] + below], 1)
    steady = np.stack([raw[max(min(t, len(raw) - _SMOOTH), 0) :][:_SMOOTH].mean(0) for t in range(len(raw))])
    width, height = size
    whole = np.round(steady).astype(np.int64)
    return np.clip(whole, 0, [width - 2, height - 2, width, height])


def seen(frame: U8, box: NDArray[np.int64]) -> U8:
    """(96, 96, 3) BGR of the face in the box."""
    x0, y0, x1, y1 = (int(v) for v in box)
    return np.ascontiguousarray(cv2.resize(frame[y0:y1, x0:x1], (SIDE, SIDE))[..., ::-1])


def redrawn(network: Wav2Lip, frame: U8, box: NDArray[np.int64], heard: F32) -> U8:
    """(H, W, 3) RGB with the face in the box as the network draws it for (80, 16) mel columns."""
    x0, y0, x1, y1 = (int(v) for v in box)
    face = np.asarray(seen(frame, box), np.float32) / 255
    hidden = face.copy()
    hidden[SIDE // 2 :] = 0
    both = np.concatenate([hidden, face], 2).transpose(2, 0, 1)[None]
    with torch.inference_mode():
        drawn = network(torch.from_numpy(heard[None, None]), torch.from_numpy(np.ascontiguousarray(both)))
    picture = (drawn[0].numpy().transpose(1, 2, 0)[..., ::-1] * 255).astype(np.uint8)
    result = frame.copy()
    result[y0:y1, x0:x1] = cv2.resize(np.ascontiguousarray(picture), (x1 - x0, y1 - y0))
    return result
