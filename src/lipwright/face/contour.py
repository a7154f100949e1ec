"""Head contour from person segmentation: how far the head reaches in each direction above the ears.

Kept as distances along fixed rays from the middle between the ears, because that is what a drawing of
the contour needs and because rays stop above the ear line: a chin in the contour would tell the mouth's
opening.
"""

from __future__ import annotations

import warnings

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.face.tracker import quiet_native

N_RAYS = 33
"""From the image's left (180 degrees) over the top to the right (0 degrees), equally spaced."""
_WIDTH = 256
"""Pixels across which the matte is computed; hair edges are coarse anyway."""
_REACH = 2.2
"""Longest distance looked at, in ear distances."""


class ContourFinder:
    """Person matte to ray distances (MediaPipe selfie segmentation, bundled, Apache-2.0)."""

    def __init__(self) -> None:
        with quiet_native(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

            self._segment = SelfieSegmentation(model_selection=0)
            self._segment.process(np.zeros((64, 64, 3), np.uint8))

    def radii(self, rgb8: U8, ears_px: F32) -> F32:
        """(N_RAYS,) pixels from the middle of `ears_px` (2, 2) to the edge of the person."""
        height, width = rgb8.shape[:2]
        scale = _WIDTH / width
        small = cv2.resize(rgb8, (_WIDTH, max(round(height * scale), 1)), interpolation=cv2.INTER_AREA)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            matte = self._segment.process(small).segmentation_mask
        centre, reach = (
            ears_px.mean(0) * scale,
            float(np.linalg.norm(ears_px[1] - ears_px[0])) * scale * _REACH,
        )
        steps = np.linspace(0, reach, 128, dtype=np.float32)
        angle = np.linspace(np.pi, 0, N_RAYS)[:, None]
        x = (centre[0] + steps * np.cos(angle)).astype(np.float32)
        y = (centre[1] - steps * np.sin(angle)).astype(np.float32)
        along = cv2.remap(matte, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0.0,))
        outside = along < 0.5
        first = np.where(outside.any(1), outside.argmax(1), outside.shape[1] - 1)
        return (steps[first] / scale).astype(np.float32)

    def close(self) -> None:
        """Release the native graph."""
        self._segment.close()


def outline_px(radii_px: F32, landmarks_px: F32) -> F32:
    """(T, rays) distances and (T, 68, 2) landmarks to (T, rays, 2) points of the contour in the same pixels."""
    centre = landmarks_px[:, [0, 16]].mean(1, keepdims=True)
    angle = np.linspace(np.pi, 0, radii_px.shape[1])
    rays = np.stack([np.cos(angle), -np.sin(angle)], -1)
    return (centre + radii_px[..., None] * rays).astype(np.float32)
