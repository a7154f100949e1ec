"""Finest detail that networks lose, given back: one number of a person, found on held-out frames.

A network that learns by pixel differences draws the mean of what it cannot tell, which is soft. Its drawings have the
edges all the same, only weaker; more of what a small blur takes away brings them back to the energy that real mouths
have. The number is constant over time, so nothing flickers and nothing of the template's mouth takes part.

A network that learns from a discriminator leaves stripes from pixel to pixel where transposed convolutions meet. They
have the energy of detail and are none, and would come back stronger: where drawings have more of them than real
pictures they are taken out first (`render.stripes`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from lipwright.core.contracts import F32, U8
from lipwright.core.gain import needed
from lipwright.render.stripes import striped, unstriped

BLUR = 0.9
"""Deviation in pixels of the footage of the blur whose loss is given back."""
MOST = 1.5
"""Of that loss at most: more would show rims along lips."""
_GAIN, _SIGMA, _EVEN = "crisp.gain", "crisp.sigma", "crisp.even"


@dataclass(frozen=True)
class Crisp:
    """What a renderer does to its drawings.

    Args:
        gain: how much of what the blur takes away is added; 0 changes nothing.
        sigma: of the blur, in pixels of the drawing.
        even: whether stripes are taken out first.
    """

    gain: float = 0.0
    sigma: float = BLUR
    even: bool = False

    @classmethod
    def fit(cls, drawn: Sequence[U8], real: Sequence[U8], enlarged: float = 1.0) -> Crisp:
        """The gain with which drawings (h, w, 3) have the finest energy of the real pictures of the same frames.

        Args: `enlarged`, how many pixels both have for one of the footage; they are compared at the footage's size,
            where they will be seen.
        """
        even = striped(drawn) > striped(real)
        has = cross = more = wanted = 0.0
        for pair in zip(drawn, real, strict=True):
            wide = (x.astype(np.float32) for x in pair)
            picture, truth = (_reduced(unstriped(x) if even else x, enlarged) for x in wide)
            a, b = (edges(x) for x in (picture, picture - cv2.GaussianBlur(picture, (0, 0), BLUR)))
            has, cross, more = (v + float((x * y).mean()) for v, x, y in ((has, a, a), (cross, a, b), (more, b, b)))
            wanted += float(np.square(edges(truth)).mean())
        return cls(min(needed(has, cross, more, wanted), MOST), BLUR * max(enlarged, 1.0), even)

    def __call__(self, picture: U8) -> U8:
        """A drawing (h, w, 3) with its detail."""
        if self.even:
            picture = unstriped(picture)
        if self.gain <= 0:
            return picture
        soft = cv2.GaussianBlur(picture, (0, 0), self.sigma)
        return np.asarray(cv2.addWeighted(picture, 1 + self.gain, soft, -self.gain, 0), np.uint8)

    def state(self) -> dict[str, torch.Tensor]:
        """For a persona; nothing where nothing is done."""
        if self == Crisp():
            return {}
        kept = {_GAIN: torch.tensor(self.gain), _SIGMA: torch.tensor(self.sigma)}
        return kept | {_EVEN: torch.tensor(1)} if self.even else kept

    @classmethod
    def from_state(cls, tensors: Mapping[str, torch.Tensor]) -> Crisp:
        """Back from `state`."""
        return cls(float(tensors[_GAIN]), float(tensors[_SIGMA]), _EVEN in tensors) if _GAIN in tensors else cls()


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
