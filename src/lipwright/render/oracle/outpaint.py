"""Where the mouth picture lies in the head's, and how the two meet."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lipwright.core.ease import smoothstep
from lipwright.render.oracle.drawing import DRAWING_CHANNELS

INPUT_CHANNELS = DRAWING_CHANNELS + 4
"""The drawing, the mouth picture's colours in their place, and how much of them is shown."""
_RIM = 0.1
"""Of the square's side: over which the mouth picture becomes the head network's."""


class Outpainting:
    """One person's square.

    Args:
        square: x, y, side in head-crop pixels (HeadGeometry).
        size: side of the head crop.
    """

    def __init__(self, square: tuple[int, int, int], size: int, device: torch.device) -> None:
        self._x, self._y, self._side = square
        inside = np.minimum(np.arange(self._side), np.arange(self._side)[::-1]) + 0.5
        ramp = smoothstep(inside / (_RIM * self._side))
        self.inner = torch.zeros(1, 1, size, size, device=device)
        """(1, 1, S, S) how much of the mouth picture is shown."""
        self._place(self.inner)[:] = torch.from_numpy(np.outer(ramp, ramp).astype(np.float32))

    def given(self, mouth: Tensor) -> Tensor:
        """(B, 3, M, M) mouth pictures to (B, 4, S, S): made smaller, put in their square and faded, and how much.

        Faded already: a hard edge in the input is drawn into the face by a network that has had few steps.
        """
        small = F.interpolate(mouth.float(), size=(self._side, self._side), mode="bicubic", antialias=True)
        canvas = mouth.new_zeros((len(mouth), 4, *self.inner.shape[2:]), dtype=torch.float32)
        canvas[:, 3:] = self.inner
        self._place(canvas)[:, :3] = small.clamp(-1, 1) * self._place(self.inner)
        return canvas

    def joined(self, given: Tensor, raw: Tensor) -> Tensor:
        """The given mouth in the drawn head (B, 3, S, S), soft at the rim."""
        return given[:, :3] + raw * (1 - self.inner)

    def _place(self, x: Tensor) -> Tensor:
        return x[..., self._y : self._y + self._side, self._x : self._x + self._side]
