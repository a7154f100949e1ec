"""Finest detail that networks lose, given back: one number of a person, found on held-out frames.

A network that learns by pixel differences draws the mean of what it cannot tell, which is soft. Its drawings have the
edges all the same, only weaker; more of what a small blur takes away brings them back to the energy that real mouths
have. The number is constant over time, so nothing flickers and nothing of the template's mouth takes part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from lipwright.core.contracts import F32, U8
from lipwright.core.gain import needed

BLUR = 0.9
"""Deviation in pixels of the footage of the blur whose loss is given back."""
MOST = 1.5
"""Of that loss at most: more would show rims along lips."""
_GAIN, _SIGMA = "crisp.gain", "crisp.sigma"


@dataclass(frozen=True)
class Crisp:
    """What a renderer does to its drawings.

    Args:
        gain: how much of what the blur takes away is added; 0 changes nothing.
        sigma: of the blur, in pixels of the drawing.
    """

    gain: float = 0.0
    sigma: float = BLUR

    @classmethod
    def fit(cls, drawn: Sequence[U8], real: Sequence[U8], enlarged: float = 1.0) -> Crisp:
        """The gain with which drawings (h, w, 3) have the finest energy of the real pictures of the same frames.

        Args: `enlarged`, how many pixels both have for one of the footage; they are compared at the footage's size,
            where they will be seen.
        """
        has = cross = more = wanted = 0.0
        for pair in zip(drawn, real, strict=True):
            picture, truth = (_reduced(x.astype(np.float32), enlarged) for x in pair)
            a, b = (edges(x) for x in (picture, picture - cv2.GaussianBlur(picture, (0, 0), BLUR)))
            has, cross, more = (v + float((x * y).mean()) for v, x, y in ((has, a, a), (cross, a, b), (more, b, b)))
            wanted += float(np.square(edges(truth)).mean())
        return cls(min(needed(has, cross, more, wanted), MOST), BLUR * max(enlarged, 1.0))

    def __call__(self, picture: U8) -> U8:
        """A drawing (h, w, 3) with its detail."""
        if self.gain <= 0:
            return picture
        soft = cv2.GaussianBlur(picture, (0, 0), self.sigma)
        return np.asarray(cv2.addWeighted(picture, 1 + self.gain, soft, -self.gain, 0), np.uint8)

    def state(self) -> dict[str, torch.Tensor]:
        """For a persona; nothing where nothing is done."""
        return {_GAIN: torch.tensor(self.gain), _SIGMA: torch.tensor(self.sigma)} if self.gain > 0 else {}

    @classmethod
    def from_state(cls, tensors: Mapping[str, torch.Tensor]) -> Crisp:
        """Back from `state`."""
        return cls(float(tensors[_GAIN]), float(tensors[_SIGMA])) if _GAIN in tensors else cls()


def _reduced(picture: F32, enlarged: float) -> F32:
    """A picture (h, w, 3) with so many times fewer pixels a side."""
    if enlarged <= 1:
        return picture
    height, width = (max(round(side / enlarged), 3) for side in picture.shape[:2])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def edges(picture: F32) -> F32:
    """(h, w) Laplacian of the mean of the channels of (h, w, 3)."""
    grey = np.asarray(cv2.transform(picture, np.full((1, 3), 1 / 3, np.float32)))
    return np.asarray(cv2.Laplacian(grey, cv2.CV_32F))
