"""How a generator in training does on held-out frames: scores, and pictures to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lipwright.core.contracts import U8
from lipwright.render.crisp import Crisp
from lipwright.render.finish import Finish
from lipwright.render.residual import Residual
from lipwright.render.translation.batch import Batch
from lipwright.render.translation.quality import contact_sheet, mouth_quality, strip
from lipwright.render.translation.temporal import roll_out

_FRAMES = 32
_RUN = 8
"""Consecutive frames from an empty start in which a network with `temporal_inputs` is validated."""
_SHEET, _STRIP = 4, 10
_FEW = 9
"""Frames that tell where mouths usually are."""


class Filmed(Protocol):
    """A person's pictures, some of them held out."""

    @property
    def train(self) -> NDArray[np.int64]:
        """Places of the frames learnt from."""

    @property
    def validation(self) -> NDArray[np.int64]:
        """Places of the frames held out."""

    def plain(self, indices: NDArray[np.int64], config: Any) -> Batch:
        """Samples as they are."""

    def runs(self, indices: NDArray[np.int64], count: int, length: int) -> list[NDArray[np.int64]]:
        """Up to `count` runs of `length` consecutive frames."""


class HeldOut:
    """Validation of one person.

    Args:
        place: moves a batch to the device.
        generate: network inputs (B, C, S, S) to raw outputs (B, 3, S, S), without gradients.
    """

    def __init__(
        self,
        config: Any,
        data: Filmed,
        place: Callable[[Batch], Batch],
        generate: Callable[[Tensor], Tensor],
    ) -> None:
        self._config, self._data, self._place, self._generate = config, data, place, generate
        self._conditioned = bool(getattr(config, "temporal_inputs", False))
        self._length = _RUN if self._conditioned else 1
        self._finish = Finish()

    def scores(self) -> dict[str, float]:
        """`score` (lower is better), mouth-box PSNR in dB and sharpness over real."""
        return mouth_quality(*self._mouths(self._spread(_FRAMES)))

    def finish(self, count: int, enlarged: float) -> Finish:
        """What is done to drawings of so many pixels per pixel of the footage; see `residual` for `count`.

        From now on scores and pictures are of finished drawings.
        """
        residual = self.residual(count)
        drawn, real = self._mouths(self._spread(_FRAMES), Finish(residual=residual))
        self._finish = Finish(Crisp.fit(drawn, real, enlarged), residual)
        return self._finish

    def residual(self, count: int) -> Residual | None:
        """The error of about `count` drawn training frames; None where held-out mouths are no better without it."""
        chosen = self._data.runs(self._data.train, count // self._length, self._length) if count else []
        if not chosen:
            return None
        some = chosen[:: max(len(chosen) // _FEW, 1)]
        boxes = [self._data.plain(run[-1:], self._config).mouth[0] for run in some]
        left, top, width, height = (round(float(v)) for v in np.median(boxes, axis=0))
        drawn = ((rgb8(raw), rgb8(b.target[0]), b.mask[0, 0].float().cpu().numpy()) for b, raw in self._drawn(chosen))
        found = Residual.fit(drawn, (left, top, width, height))
        if found is None:
            return None
        spread = self._spread(_FRAMES)
        before, after = (mouth_quality(*self._mouths(spread, Finish(residual=of)))["score"] for of in (None, found))
        return found if after < before else None

    def sheet(self) -> U8:
        """Contact sheet of spread frames: real, generated, difference; whole crop and mouth."""
        shown = list(self._shown(self._spread(_SHEET * self._length)))
        rows = [(rgb8(batch.target[0]), picture, batch.mouth[0]) for batch, picture in shown]
        every = max(len(rows) // _SHEET, 1)
        return contact_sheet(rows[every - 1 :: every])

    def strip(self) -> U8:
        """Consecutive mouths, real above generated, enlarged."""
        return strip(*self._mouths(self._data.runs(self._data.validation, 1, _STRIP)))

    def _spread(self, count: int) -> list[NDArray[np.int64]]:
        """About `count` frames: spread ones, or runs of consecutive ones."""
        return self._data.runs(self._data.validation, max(count // self._length, 1), self._length)

    def _mouths(self, runs: list[NDArray[np.int64]], finish: Finish | None = None) -> tuple[list[U8], list[U8]]:
        """Mouth boxes, generated and real; `finish` in place of what is done to all drawings."""
        fakes, reals = [], []
        for batch, picture in self._shown(runs, finish):
            left, top, width, height = batch.mouth[0]
            where = np.s_[top : top + height, left : left + width]
            fakes.append(picture[where])
            reals.append(rgb8(batch.target[0])[where])
        return fakes, reals

    def _shown(self, runs: list[NDArray[np.int64]], finish: Finish | None = None) -> Iterator[tuple[Batch, U8]]:
        """Each frame of the runs and what is generated for it, in its surroundings."""
        finish = finish or self._finish
        for batch, raw in self._drawn(runs):
            if finish != Finish():
                picture = torch.from_numpy(finish(rgb8(raw))).to(raw.device)
                raw = picture.permute(2, 0, 1) / 127.5 - 1
            yield batch, rgb8(batch.composed(raw[None])[0])

    def _drawn(self, runs: list[NDArray[np.int64]]) -> Iterator[tuple[Batch, Tensor]]:
        """Each frame of the runs and what is generated for it, (3, S, S)."""
        conditioned = self._conditioned
        for run in runs:
            if conditioned:
                frames = [self._place(b) for b in self._data.plain_run(run, self._config)]  # type: ignore[attr-defined]
            else:
                frames = [self._place(self._data.plain(run[k : k + 1], self._config)) for k in range(len(run))]
            outputs = roll_out(self._generate, frames, conditioned)
            yield from ((b, raw[0]) for b, raw in zip(frames, outputs, strict=True))


def rgb8(image: Tensor) -> U8:
    """(3, H, W) in [-1, 1] to (H, W, 3) uint8."""
    scaled = (image.detach().float().cpu() + 1) * 127.5
    return scaled.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
