"""How much of every pixel is the person: for transparency behind them.

A small segmentation network says roughly where the person is; a guided filter (He, Sun, Tang, Guided image
filtering, TPAMI 2013, equations 5, 6 and 8) on the picture's luma then moves the matte's edge to the edge in the
picture, computed at a fraction of the size and applied in full (He, Sun, Fast guided filter, arXiv:1505.00996).
Between frames the matte follows only as fast as the picture changes, so that still edges do not flicker.
"""

from __future__ import annotations

import warnings

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.face.tracker import quiet_native

_NET_WIDTH = 256
"""Pixels across which the network looks."""
_WORK = 480
"""Longer side of the size at which the filter's coefficients are found."""
_RADIUS = 6
"""Of the filter's window, in pixels of that size: how far the network's edge may lie off."""
_EPSILON = 1e-4
"""The filter takes variations of luma (0 to 1) whose variance is below this for flat ground."""
_LOW, _HIGH = 0.12, 0.88
"""The filter leaves a haze on both sides; these become 0 and 1."""
_STILL, _MOVED, _NEAR = 0.01, 0.03, 15
"""Change of luma (0 to 1) below which the matte keeps `_KEEP` of what it was, and above which nothing; the largest
within a square of `_NEAR` pixels counts."""
_KEEP = 0.8


class MatteFinder:
    """RGB frames of one clip, in order, to mattes (MediaPipe selfie segmentation, bundled, Apache-2.0).

    Keep one per clip, `reset` at a cut; a change of size resets by itself.
    """

    def __init__(self) -> None:
        with quiet_native(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation

            self._segment = SelfieSegmentation(model_selection=0)
            self._segment.process(np.zeros((64, 64, 3), np.uint8))
        self._steady = Steadier()

    def __call__(self, rgb8: U8) -> F32:
        """(H, W) in [0, 1], 1 where only the person is, of one (H, W, 3) frame."""
        height, width = rgb8.shape[:2]
        scale = min(1.0, _WORK / max(height, width))
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        small = np.asarray(cv2.resize(rgb8, size, interpolation=cv2.INTER_AREA), np.uint8)
        guide = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
        rough = self._steady(guide, self._rough(small))
        slope, offset = guided_coefficients(guide, rough, _RADIUS, _EPSILON)
        luma = cv2.cvtColor(rgb8, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
        full = cv2.resize(slope, (width, height)) * luma + cv2.resize(offset, (width, height))
        matte: F32 = np.clip((full - _LOW) / (_HIGH - _LOW), 0, 1)
        return matte

    def alpha(self, rgb8: U8) -> U8:
        """(H, W) 0 to 255: the matte as a writer takes it."""
        return np.rint(self(rgb8) * 255).astype(np.uint8)

    def reset(self) -> None:
        """Forget the frames before: after a cut."""
        self._steady.reset()

    def close(self) -> None:
        """Release the native graph."""
        self._segment.close()

    def _rough(self, small: U8) -> F32:
        """The network's matte at the size of `small`."""
        height, width = small.shape[:2]
        net = cv2.resize(small, (_NET_WIDTH, max(round(height * _NET_WIDTH / width), 1)), interpolation=cv2.INTER_AREA)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mask = self._segment.process(net).segmentation_mask
        return np.asarray(cv2.resize(np.asarray(mask, np.float32), (width, height)), np.float32)


class Steadier:
    """Mattes of one clip, held back where the picture has not changed since the frame before."""

    def __init__(self) -> None:
        self._before: tuple[F32, F32] | None = None

    def reset(self) -> None:
        """Forget the frame before."""
        self._before = None

    def __call__(self, guide: F32, matte: F32) -> F32:
        """(H, W) matte of a frame whose luma is `guide` (H, W) in [0, 1]."""
        if self._before is not None and self._before[0].shape == guide.shape:
            change = cv2.GaussianBlur(np.abs(guide - self._before[0]), (0, 0), 2.0)
            change = cv2.dilate(change, np.ones((_NEAR, _NEAR), np.uint8))
            keep = _KEEP * np.clip((_MOVED - change) / (_MOVED - _STILL), 0, 1)
            matte = (matte + keep * (self._before[1] - matte)).astype(np.float32)
        self._before = guide, matte
        return matte


def guided_coefficients(guide: F32, target: F32, radius: int, epsilon: float) -> tuple[F32, F32]:
    """The (H, W) slope and offset with which `slope * guide + offset` is `target` along the edges of `guide`."""

    def mean(x: F32) -> F32:
        side = (2 * radius + 1, 2 * radius + 1)
        return np.asarray(cv2.blur(x, side, borderType=cv2.BORDER_REFLECT), np.float32)

    m_guide, m_target = mean(guide), mean(target)
    slope = (mean(guide * target) - m_guide * m_target) / (mean(guide * guide) - m_guide**2 + np.float32(epsilon))
    return mean(slope), mean(m_target - slope * m_guide)
