"""Where the small aligned picture of a mouth is cut: rigid points alone place it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8, Shown
from lipwright.core.ibug import MOUTH
from lipwright.face.align import Aligner, Box, apply, invert, zoom

SIZE = (112, 80)
"""(width, height) px."""
_ROOM = 1.4
"""Width of the cut over the widest mouth."""


@dataclass(frozen=True)
class MouthCrop:
    """A person's aligned mouth crops."""

    aligner: Aligner
    box: Box

    @classmethod
    def fit(cls, landmarks_px: F32) -> MouthCrop:
        """From (T, 68, 2) landmarks of the person."""
        aligner = Aligner.fit(landmarks_px)
        mouth = apply(aligner.maps(landmarks_px), landmarks_px)[:, MOUTH]
        # Tails of one per cent: a single slip of the tracker must not widen every cut.
        low = np.percentile(mouth.min(1), 1, axis=0)
        high = np.percentile(mouth.max(1), 99, axis=0)
        width = _ROOM * float(high[0] - low[0])
        height = width * SIZE[1] / SIZE[0]
        x, y = (low + high) / 2
        return cls(aligner, Box(float(x) - width / 2, float(y) - height / 2, width, height, SIZE))

    def maps(self, landmarks_px: F32) -> F32:
        """(T, 68, 2) landmarks to (T, 2, 3) crop_from_frame."""
        return self.box.crop_from_frame(self.aligner.maps(landmarks_px))

    def cut(self, picture: Shown, landmarks_px: F32, size: tuple[int, int]) -> U8:
        """(80, 112, 3) RGB of one picture of `size` (width, height) with landmarks (68, 2); only what the cut shows is
        looked at."""
        crop_from_frame = self.maps(landmarks_px[None])[0]
        scale = zoom(crop_from_frame)
        corners = np.array([[0, 0], [SIZE[0], 0], SIZE, [0, SIZE[1]]], np.float32)
        placed = apply(invert(crop_from_frame), corners)
        room = 2 + 2 / scale
        x0, y0 = (int(v) for v in np.clip(np.floor(placed.min(0) - room), 0, np.array(size) - 1))
        x1, y1 = (int(v) for v in np.clip(np.ceil(placed.max(0) + room), (x0 + 1, y0 + 1), size))
        part = picture.rgb8((x0, y0, x1, y1))
        if scale < 1:  # to the Nyquist frequency of the cut
            part = np.asarray(cv2.GaussianBlur(part, (0, 0), 0.4 / scale), np.uint8)
        from_part = crop_from_frame.copy()
        from_part[:, 2] += from_part[:, :2] @ np.array([x0, y0], np.float32)
        there = cv2.warpAffine(part, from_part, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(there, np.uint8)
