"""What the mouth articulates, heard in any language: phone posteriors of a small network trained by lipwright.

No transcript, no dictionary, no language: temporal convolutions over mel energies (`speech.articulation_net`), trained
on synthetic voices with exact times (`python -m lipwright.hearing`), in rooms, through microphones and under noise.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lipwright.core.clock import FPS, SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.speech.mel import HOP, LEVEL_AHEAD, LEVEL_BACK, PAD, WINDOW, centred, energies
from lipwright.speech.phones import CLASSES, smooth_to_video
from lipwright.speech.source import SampleSource

if TYPE_CHECKING:
    from lipwright.speech.articulation_net import ArticulationNet

PHONES: tuple[str, ...] = (
    "SIL",
    *(p for name, m in CLASSES.items() if name not in ("silence", "noise") for p in m.split()),
)
"""Columns of the posteriors: silence (and whatever is no speech), then the 39 phones of CMU's dictionary."""
LOOKS: F32 = np.array([[phone in m.split() for m in CLASSES.values()] for phone in PHONES], np.float32)
"""(40, 17) which phone belongs to which class of those that look alike on the lips (`phones.CLASSES`)."""
LOOKS[0] = np.eye(len(CLASSES), dtype=np.float32)[0]
WEIGHTS = Path(__file__).parents[1] / "assets" / "articulation.safetensors"
STEP_S = HOP / SAMPLE_RATE
_BLOCK = 512
"""Rows computed at a time, on an absolute grid."""
_BACK = 128
"""Rows of context before a block beyond those of the level: more than the network sees."""
_MARGIN = 2
"""Video frames on either side that `smooth_to_video` sees."""


def load_articulation(path: Path = WEIGHTS) -> tuple[ArticulationNet, dict[str, Any]]:
    """(network, its card); CheckpointError when the file is missing or another network's."""
    from lipwright.core.checkpoint import load_into, load_tensors
    from lipwright.speech.articulation_net import ArticulationNet

    tensors, card = load_tensors(path)
    model = ArticulationNet(len(PHONES))
    load_into(model, {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}, str(path))
    return model, card


@cache
def _shipped() -> ArticulationNet:
    return load_articulation()[0]


class Recogniser:
    """Posteriors of any stretch of a source, whose values never depend on how it is cut.

    Sees 3.9 s back (the level) and 183 ms ahead of a row's centre.
    """

    def __init__(self, model: ArticulationNet | None = None) -> None:
        self._model = model
        self._kept: tuple[int, F32] | None = None

    def posteriors(self, source: SampleSource, first_step: int, n_steps: int) -> F32:
        """(n_steps, 40) probabilities in the order of `PHONES` of the 10 ms steps from `first_step`, any sign."""
        pieces = [np.zeros((0, len(PHONES)), np.float32)]
        for index in range(first_step // _BLOCK, (first_step + max(n_steps, 0) - 1) // _BLOCK + 1):
            low, high = max(first_step - index * _BLOCK, 0), min(first_step + n_steps - index * _BLOCK, _BLOCK)
            pieces.append(self._block(source, index)[low:high])
        return np.concatenate(pieces)

    def _block(self, source: SampleSource, index: int) -> F32:
        import torch

        from lipwright.speech.articulation_net import AHEAD

        ahead = AHEAD + LEVEL_AHEAD
        start, rows = index * _BLOCK - LEVEL_BACK - _BACK, LEVEL_BACK + _BACK + _BLOCK + ahead
        samples = source(start * HOP - PAD, start * HOP - PAD + (rows - 1) * HOP + WINDOW)
        if not samples.any():
            silent = np.zeros((_BLOCK, len(PHONES)), np.float32)
            silent[:, 0] = 1
            return silent
        seen = centred(energies(samples, rows))[LEVEL_BACK:]
        if self._model is None:
            self._model = _shipped()
        with torch.inference_mode():
            logits = self._model(torch.from_numpy(seen.T.copy())[None])[0, :, _BACK : _BACK + _BLOCK]
            return np.asarray(torch.softmax(logits, 0).T.contiguous().numpy())


class Articulation:
    """Phone posteriors smoothed to one row per video frame: the `SpeechFeature` 'articulation'."""

    name = "articulation"
    dim = len(PHONES)
    rate = 1
    block_frames = 128
    halo_frames = 128
    """A block of 5.12 s is heard with 4.3 s before it; beyond the block nothing but 0.3 s ahead matters."""

    def __init__(self) -> None:
        self._recogniser = Recogniser()

    def block(self, source: SampleSource, index: int) -> F32:
        """(128, 40) rows of the absolute block `index`."""
        per_frame = round(1 / (STEP_S * float(FPS)))
        first = index * self.block_frames - _MARGIN
        rows = self._recogniser.posteriors(source, first * per_frame, (self.block_frames + 2 * _MARGIN) * per_frame)
        return smooth_to_video(rows)[_MARGIN : _MARGIN + self.block_frames]
