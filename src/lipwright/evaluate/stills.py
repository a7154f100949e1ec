"""Mouths that do not speak, as pictures: the mean mouth and one frame's mouth, worn by the real head."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.ibug import MOUTH
from lipwright.evaluate.boxes import Boxes, canonical_maps
from lipwright.face.align import apply, compose

FEATHER = 8
"""Pixels outside the mouth box over which a pasted mouth fades into the real frame."""


@dataclass(frozen=True)
class Still:
    """A mouth picture in the canonical frame, ready to be pasted into any frame of the same footage."""

    canonical: F32
    """(h, w, 3) grey levels."""
    crop_from_frame: F32
    """(T, 2, 3) maps from frame pixels to `canonical` pixels."""

    def paste(self, rgb8: U8, t: int, boxes: Boxes, outer: Boxes) -> U8:
        """The `outer` box of frame `t` with its `boxes` part replaced; its border pixels stay as they are."""
        x, y = outer.corners[t]
        size = outer.size
        shift = np.array([[1, 0, x], [0, 1, y]], np.float32)
        crop_from_box = compose(self.crop_from_frame[t], shift)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        mouth = cv2.warpAffine(self.canonical, crop_from_box, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        weight = _weight(tuple(boxes.corners[t] - outer.corners[t]), boxes.size, size)[..., None]
        blended = weight * mouth + (1 - weight) * outer.cut(rgb8, t).astype(np.float32)
        return np.asarray(np.clip(np.rint(blended), 0, 255), dtype=np.uint8)


def make_stills(frames: Iterable[U8], track: FaceTrack, boxes: Boxes, frozen: int) -> tuple[Still, Still]:
    """(mean mouth, frozen mouth) from one pass over the frames of `track`.

    The mean is taken over all frames that show a face; the frozen mouth is that of frame `frozen`.
    """
    maps, size = _crop_maps(track, boxes)
    total = np.zeros((size[1], size[0], 3))
    count = 0
    still = np.zeros((size[1], size[0], 3), np.float32)
    for t, frame in enumerate(frames):
        if not track.present[t]:
            continue
        crop = cv2.warpAffine(frame, maps[t], size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        total += crop
        count += 1
        if t == frozen:
            still = crop.astype(np.float32)
    return Still((total / max(count, 1)).astype(np.float32), maps), Still(still, maps)


def _crop_maps(track: FaceTrack, boxes: Boxes) -> tuple[F32, tuple[int, int]]:
    """Maps to a canonical crop that covers the feathered box under small turns of the head."""
    canonical_from_frame = canonical_maps(track)
    mouth = apply(canonical_from_frame, track.landmarks_px[:, MOUTH])[track.present]
    centre = (mouth.min(axis=(0, 1)) + mouth.max(axis=(0, 1))) / 2
    width, height = (int(1.4 * (side + 2 * FEATHER)) for side in boxes.size)
    crop = np.array([[1, 0, width / 2 - centre[0]], [0, 1, height / 2 - centre[1]]], np.float32)
    return compose(np.broadcast_to(crop, canonical_from_frame.shape), canonical_from_frame), (width, height)


def _weight(corner: tuple[int, ...], inner: tuple[int, int], outer: tuple[int, int]) -> F32:
    """(h, w) 1 inside the inner rectangle, falling to 0 within `FEATHER` px outside."""
    x = _ramp(outer[0], corner[0], inner[0])
    y = _ramp(outer[1], corner[1], inner[1])
    return np.asarray(np.outer(y, x), dtype=np.float32)


def _ramp(length: int, first: int, inside: int) -> F32:
    position = np.arange(length)
    away = np.maximum(np.maximum(first - position, position - (first + inside - 1)), 0)
    return np.asarray(np.clip(1 - away / FEATHER, 0, 1), dtype=np.float32)
