"""What augmentation does to a training sample: strokes and both pictures move together."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.face.align import apply, compose, invert
from lipwright.render.crossmodal.config import CrossModalConfig

_TURN_RAD, _ZOOM = 0.05, 0.04
"""Greatest rotation and change of size, 'classical'."""
_STILL = np.array([[1, 0, 0], [0, 1, 0]], np.float32)


@dataclass(frozen=True)
class Change:
    """A map of the head crop onto itself, and light."""

    affine: F32
    """(2, 3) from pixels of the crop as it is to pixels of the changed one."""
    gain: float = 1.0
    bias: float = 0.0

    @classmethod
    def none(cls) -> Change:
        """Leaves everything as it is."""
        return cls(_STILL)

    @classmethod
    def drawn(cls, config: CrossModalConfig, rng: np.random.Generator) -> Change:
        """For one training sample: none, whole-pixel shifts ('ours'), or affine and light ('classical')."""
        if config.augmentation == "none":
            return cls.none()
        reach = round(config.shift * config.size)
        shift = rng.integers(-reach, reach + 1, 2).astype(np.float64)
        if config.augmentation == "ours":  # whole pixels: resampling would blur what must be learned sharp
            return cls(np.concatenate([np.eye(2), shift[:, None]], 1).astype(np.float32))
        turn, zoom = rng.uniform(-_TURN_RAD, _TURN_RAD), 1 + rng.uniform(-_ZOOM, _ZOOM)
        linear = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        centre = np.full(2, (config.size - 1) / 2)
        affine = np.concatenate([linear, (centre + shift - linear @ centre)[:, None]], 1)
        gain, bias = rng.uniform(-1, 1, 2) * config.photometric
        return cls(affine.astype(np.float32), 1 + float(gain), 255 * float(bias))

    def points(self, points: F32) -> F32:
        """(K, 2) head-crop points after the change."""
        return apply(self.affine, points)

    def head(self, picture: U8) -> U8:
        """The head picture after the change; beyond its border it repeats."""
        return self._lit(_warped(picture, self.affine, cv2.BORDER_REPLICATE))

    def mouth(self, picture: U8, mouth_from_head: F32) -> tuple[U8, F32]:
        """The mouth picture after the change, and (S, S) where it is known: the square itself stays in its place."""
        affine = compose(mouth_from_head, compose(self.affine, invert(mouth_from_head)))
        whole = np.full(picture.shape[:2], 255, np.uint8)
        known = _warped(whole, affine, cv2.BORDER_CONSTANT) == 255
        return self._lit(_warped(picture, affine, cv2.BORDER_REPLICATE)), known.astype(np.float32)

    def _lit(self, picture: U8) -> U8:
        if self.gain == 1.0 and self.bias == 0.0:
            return picture
        table = np.clip(np.arange(256) * self.gain + self.bias + 0.5, 0, 255).astype(np.uint8)
        return np.asarray(table[picture])


def _warped(picture: U8, affine: F32, border: int) -> U8:
    if np.allclose(affine, _STILL, atol=1e-6):
        return picture
    size = (picture.shape[1], picture.shape[0])
    moved = cv2.warpAffine(picture, affine.astype(np.float64), size, flags=cv2.INTER_LANCZOS4, borderMode=border)
    return np.asarray(moved, np.uint8)
