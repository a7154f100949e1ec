"""Small grey mouths in a steady place, cut while frames pass by for another reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.ibug import MOUTH
from lipwright.face.align import Aligner, apply, compose

WIDTH = 0.9
"""Side of the square over the distance of the outer eye corners."""
ABOVE = 0.44
"""Part of the square above the middle of the mouth: jaws go down."""


@dataclass
class MouthCutter:
    """Maps every frame's mouth to a square that follows the head and never the lips."""

    crop_from_frame: F32
    """(T, 2, 3)."""
    side: int
    mouths: U8
    """(T, side, side) grey levels, filled by `tap`; frames that never passed stay black."""

    @classmethod
    def of(cls, track: FaceTrack, side: int, margin: float = 1.0) -> MouthCutter:
        """For the frames of a track; `margin` times as much is shown."""
        points = track.landmarks_px[track.present]
        return cls.on(points, track.landmarks_px, side, margin)

    @classmethod
    def on(cls, seen_px: F32, landmarks_px: F32, side: int, margin: float = 1.0) -> MouthCutter:
        """For (T, 68, 2) `landmarks_px`; where the mouth sits in the head is learnt from `seen_px`."""
        aligner = Aligner.fit(seen_px)
        corners = aligner.rigid[[-4, -1]]  # outer eye corners
        middle = apply(aligner.maps(seen_px), seen_px)[:, MOUTH].mean(axis=(0, 1))
        scale = side / (margin * WIDTH * float(np.linalg.norm(corners[1] - corners[0])))
        top = 0.5 + (ABOVE - 0.5) / margin
        x, y = (side - 1) / 2 - scale * middle[0], side * top - 0.5 - scale * middle[1]
        crop = np.array([[scale, 0, x], [0, scale, y]], np.float32)
        maps = aligner.maps(landmarks_px)
        whole = compose(np.broadcast_to(crop, maps.shape), maps)
        return cls(whole, side, np.zeros((len(landmarks_px), side, side), np.uint8))

    def tap(self, frames: Iterable[U8]) -> Iterator[U8]:
        """Pass RGB frames on unchanged and keep their mouths."""
        for t, frame in enumerate(frames):
            self.mouths[t] = self.cut(frame, t)
            yield frame

    def cut(self, rgb8: U8, t: int) -> U8:
        """(side, side) grey levels of frame `t`, averaged over what each pixel covers."""
        map_t = self.crop_from_frame[t]
        shrink = max(1, int(1 / max(np.hypot(map_t[0, 0], map_t[1, 0]), 1e-6)))
        fine = map_t * shrink
        fine[:, 2] += (shrink - 1) / 2
        size = (self.side * shrink, self.side * shrink)
        crop = cv2.warpAffine(rgb8, fine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        return np.asarray(cv2.resize(grey, (self.side, self.side), interpolation=cv2.INTER_AREA), np.uint8)
