"""How a network in training does on held-out real frames: scores, and pictures to look at."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lipwright.core.contracts import U8
from lipwright.render.crisp import Crisp
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
        draw: strokes and speech to head and mouth pictures (B, 3, S, S), without gradients.
    """

    def __init__(
        self,
        config: CrossModalConfig,
        data: CrossModalData,
        place: Callable[[Batch], Batch],
        draw: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    ) -> None:
        self._config, self._data, self._place, self._draw = config, data, place, draw

    def scores(self) -> dict[str, float]:
        """`score` (lower is better), PSNR in dB and sharpness over real, of the mouth picture around the mouth.

        The rest of the mouth square is chin and collar, which neither strokes nor speech tell.
        """
        return mouth_quality(*self._mouths())

    def crisp(self) -> Crisp:
        """What gives mouth pictures the detail of the real ones."""
        return Crisp.fit(*self._mouths(), self._config.size / self._data.geometry.native_px)

    def _mouths(self) -> tuple[list[U8], list[U8]]:
        """Mouth boxes, generated and real."""
        fakes, reals = [], []
        for i in self._spread(_FRAMES):
            _, (real, fake) = self._shown(i)
            where = self._data.geometry.mouth_box(self._data.landmarks[i], self._config.size)
            fakes.append(fake[where])
            reals.append(real[where])
        return fakes, reals

    def sheet(self) -> U8:
        """Contact sheet of spread frames: real, generated, difference; whole head beside the mouth picture."""
        size = self._config.size
        rows = []
        for i in self._spread(_SHEET):
            (head, drawn), (mouth, shown) = self._shown(i)
            rows.append((np.hstack([head, mouth]), np.hstack([drawn, shown]), (size, 0, size, size)))
        return contact_sheet(rows, 1)

    def _spread(self, count: int) -> NDArray[np.int64]:
        places = self._data.validation
        return places[np.linspace(0, len(places) - 1, min(count, len(places))).round().astype(np.int64)]

    def _shown(self, i: np.int64) -> tuple[tuple[U8, U8], tuple[U8, U8]]:
        """Real and generated head, real and generated mouth."""
        batch = self._place(self._data.plain(np.array([i]), self._config))
        head, mouth = self._draw(batch.strokes, batch.speech)
        return (rgb8(batch.head[0]), rgb8(head[0])), (rgb8(batch.mouth[0]), rgb8(mouth[0]))
