"""How a network in training does on held-out real frames: scores, and pictures to look at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lipwright.core.contracts import U8
from lipwright.render.crossmodal.batch import Batch
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.translation.held_out import rgb8
from lipwright.render.translation.quality import contact_sheet, mouth_quality

_FRAMES = 32
_SHEET = 4


class HeldOut:
    """Validation of one person.

    Args:
        place: moves a batch to the device.
        draw: strokes and speech to head pictures (B, 3, S, S), without gradients.
    """

    def __init__(
        self,
        config: CrossModalConfig,
        data: CrossModalData,
        place: Callable[[Batch], Batch],
        draw: Callable[[Tensor, Tensor], Tensor],
    ) -> None:
        self._config, self._data, self._place, self._draw = config, data, place, draw
        x, y, side = data.geometry.mouth_square
        self._box = (x, y, side, side)
        self._mouth = np.s_[y : y + side, x : x + side]

    def scores(self) -> dict[str, float]:
        """`score` (lower is better), PSNR in dB and sharpness over real, of the mouth square as the head shows it."""
        shown = [self._shown(i) for i in self._spread(_FRAMES)]
        return mouth_quality([fake[self._mouth] for _, fake in shown], [real[self._mouth] for real, _ in shown])

    def sheet(self) -> U8:
        """Contact sheet of spread frames: real, generated, difference; whole head and mouth square."""
        return contact_sheet([(*self._shown(i), self._box) for i in self._spread(_SHEET)])

    def _spread(self, count: int) -> NDArray[np.int64]:
        places = self._data.validation
        return places[np.linspace(0, len(places) - 1, min(count, len(places))).round().astype(np.int64)]

    def _shown(self, i: np.int64) -> tuple[U8, U8]:
        """A real head picture and what is generated for it."""
        batch = self._place(self._data.plain(np.array([i]), self._config))
        return rgb8(batch.head[0]), rgb8(self._draw(batch.strokes, batch.speech)[0])
