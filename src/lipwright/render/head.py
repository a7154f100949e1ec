"""Where a person's head crop and the mouth square in it are: what oracle and cross-modal renderer draw.

The crop is that of the translation renderer's full-face mode, steered: aligned by rigid points alone, so it cannot tell
what the mouth does, and moved with the place where they let the mouth be expected, so that a mouth stays in its place
when the head turns. The mouth square is a constant of the person; its picture is cut from the frame at the frame's own
resolution, never enlarged from the head crop (SPEC 6: mouth targets come from the original frame).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from lipwright.core.contracts import F32
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.core.ibug import MOUTH, MOUTH_JAW
from lipwright.face.align import apply, compose, invert
from lipwright.render.translation.geometry import TranslationGeometry

SHARE = 192 / 512
"""Side of the mouth square, of the head crop's (the oracle's Figure 3)."""
MOST = 0.75
"""Largest share it grows to: beyond it there would be no head left to draw."""
_STEPS = 32
"""The square grows by a 32nd of the crop at a time."""
_MARGIN = 1 / 64
"""Of the crop's side: skin around the outermost lip."""
_MULTIPLE = 32
"""Sides of networks are multiples of this."""
_OF_HIDDEN = [*range(20), *range(21, 30)]
"""MOUTH_JAW among the points a TranslationGeometry expects: without jaw points 3 and 13."""
_STATE, _TOLD = "head.mouth_square", "head.told"


@dataclass(frozen=True)
class HeadGeometry:
    """A person's head crop and the fixed mouth square in it."""

    crop: TranslationGeometry
    """The aligned crop, its open-jaw hull and yardsticks ('full-face')."""
    mouth_square: tuple[int, int, int]
    """x, y and side in whole pixels of the head crop; covers pixels x to x + side - 1."""
    told: F32 | None = None
    """(K, 29, 2) crop pixels that mouth and jaw (MOUTH_JAW) move with what is said; None where nobody found out."""

    @classmethod
    def fit(cls, landmarks_px: F32, pose_rad: F32, size: int, share: float = SHARE) -> HeadGeometry:
        """From the training frames' landmarks (T, 68, 2) and pose (T, 3); SubjectError below 8 frames.

        Args:
            size: side of the head crop, a multiple of 32.
            share: side of the mouth square, of the crop's; it grows in steps until the lips of all frames but half a
                percent at either tail (the tracker's slips) are inside (`grown` says so).
        """
        if size < _MULTIPLE or size % _MULTIPLE:
            raise ConfigError(f"a head crop of {size} px cannot be halved five times; use a multiple of {_MULTIPLE}")
        if not 0 < share <= MOST:
            raise ConfigError(f"a mouth square of {share:g} of the head crop is outside (0, {MOST}]; use {SHARE}")
        crop = TranslationGeometry.fit(landmarks_px, pose_rad, "full-face", size, steered=True)
        mouths = apply(crop.crop_maps(landmarks_px), landmarks_px)[:, MOUTH]
        low = np.percentile(mouths.min(1), 0.5, axis=0) - _MARGIN * size
        high = np.percentile(mouths.max(1), 99.5, axis=0) + _MARGIN * size
        side = round(share * size)
        while side < float((high - low).max()) + 1 and side + size // _STEPS <= MOST * size:
            side += size // _STEPS
        # The square covers [x - 0.5, x + side - 0.5].
        corner = np.round((low + high) / 2 - side / 2 + 0.5)
        x, y = (int(v) for v in np.clip(corner, 0, size - side))
        return cls(crop, (x, y, side))

    def listening(self, landmarks: F32, pose_rad: F32, said: F32) -> HeadGeometry:
        """The same, with what speech tells of mouth and jaw: least squares, with the ridge of one frame in a hundred.

        Args: `landmarks` (T, 68, 2) in head-crop pixels, `pose_rad` (T, 3), `said` (T, K) numbers of spread about 1.
        """
        moved = landmarks[:, MOUTH_JAW] - self.crop.expected(pose_rad)[:, _OF_HIDDEN]
        moved = moved.reshape(len(said), -1).astype(np.float64)
        centred = said.astype(np.float64) - said.mean(0)
        gram = centred.T @ centred + 0.01 * len(said) * np.eye(said.shape[1])
        told = np.linalg.solve(gram, centred.T @ (moved - moved.mean(0)))
        return replace(self, told=told.reshape(-1, len(MOUTH_JAW), 2).astype(np.float32))

    def wanted(self, maps: F32, pose_rad: F32, said: F32) -> F32:
        """(T, 29, 2) where mouth and jaw (MOUTH_JAW) are to be expected in frame pixels; needs `told`.

        Args: `head_maps` (T, 2, 3) of a template; its pose (T, 3); what is said (T, K).
        """
        assert self.told is not None
        there = self.crop.expected(pose_rad)[:, _OF_HIDDEN] + np.einsum("tk,kpc->tpc", said, self.told)
        return apply(invert(maps), there.astype(np.float32))

    @property
    def size(self) -> int:
        """Side of the head crop in pixels."""
        return self.crop.size

    @property
    def grown(self) -> float:
        """By how much of the crop's side the mouth square exceeds `SHARE`; 0 where the lips fit into that."""
        return max(self.mouth_square[2] / self.size - SHARE, 0.0)

    @property
    def native_px(self) -> float:
        """How many pixels of the footage the mouth square spans, at its median face size."""
        return float(self.crop.box[2]) * self.mouth_square[2] / self.size

    def native(self, most: int) -> int:
        """Side of a mouth picture that holds all the footage shows: `native_px` up to a multiple of 32, or `most`.

        Larger pictures would only learn the enlargement.
        """
        return min(most, max(-int(-self.native_px // _MULTIPLE) * _MULTIPLE, 2 * _MULTIPLE))

    def head_maps(self, landmarks_px: F32) -> F32:
        """(T, 68, 2) landmarks to (T, 2, 3) maps from frame pixels to head-crop pixels."""
        return self.crop.crop_maps(landmarks_px)

    def mouth_maps(self, landmarks_px: F32, size: int) -> F32:
        """(T, 68, 2) landmarks to (T, 2, 3) maps from frame pixels to pixels of a mouth picture of side `size`."""
        maps = self.head_maps(landmarks_px)
        return compose(np.broadcast_to(self.mouth_from_head(size), maps.shape), maps)

    def mouth_from_head(self, size: int) -> F32:
        """(2, 3) map from head-crop pixels to pixels of a mouth picture of side `size`; outer edges meet."""
        x, y, side = self.mouth_square
        scale = size / side
        return np.array([[scale, 0, (0.5 - x) * scale - 0.5], [0, scale, (0.5 - y) * scale - 0.5]], np.float32)

    def mouth_box(self, landmarks: F32, size: int) -> tuple[slice, slice]:
        """Rows and columns around the mouth in a mouth picture of side `size`: one size of box for a person.

        Args: `landmarks` (68, 2) in head-crop pixels.
        """
        return self._around(apply(self.mouth_from_head(size), landmarks), size / self.mouth_square[2], size)

    def mouth_in_head(self, landmarks: F32) -> tuple[slice, slice]:
        """The same in the head crop."""
        return self._around(landmarks, 1.0, self.size)

    def _around(self, points: F32, scale: float, size: int) -> tuple[slice, slice]:
        """The person's mouth box around the mouth of (68, 2) points, within a picture `scale` times the crop's."""
        width, height = (min(round(v * scale), size) for v in self.crop.mouth_box())
        most = (size - width, size - height)
        left, top = (int(v) for v in np.clip(np.round(points[MOUTH].mean(0) - (width / 2, height / 2)), 0, most))
        return slice(top, top + height), slice(left, left + width)

    def state(self) -> dict[str, torch.Tensor]:
        """Arrays for a persona, under `geometry.*` and `head.*`."""
        told = {_TOLD: torch.from_numpy(np.array(self.told))} if self.told is not None else {}
        return {**self.crop.state(), _STATE: torch.tensor(self.mouth_square, dtype=torch.int64), **told}

    @classmethod
    def from_state(cls, tensors: dict[str, torch.Tensor]) -> HeadGeometry:
        """Back from `state`; CheckpointError names what is missing."""
        if _STATE not in tensors:
            raise CheckpointError(f"renderer weights lack {_STATE}; retrain the renderer")
        x, y, side = (int(v) for v in tensors[_STATE])
        told = tensors[_TOLD].numpy() if _TOLD in tensors else None
        return cls(TranslationGeometry.from_state(tensors), (x, y, side), told)
