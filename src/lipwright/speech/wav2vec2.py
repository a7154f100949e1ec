"""wav2vec 2.0 as a speech feature: learnt from unlabelled speech, from weights that users bring themselves.

A block is heard together with the seconds around it, as one utterance: it is brought to zero mean and unit variance
and encoded. So memory does not grow with the speech, and speech that lies within one block gets exactly what the
published model gives for the whole of it.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lipwright.core import wav2vec2_weights, weights
from lipwright.core.clock import FPS
from lipwright.core.contracts import F32
from lipwright.core.errors import CheckpointError
from lipwright.speech.source import SampleSource

if TYPE_CHECKING:
    from lipwright.speech.wav2vec2_network import Wav2Vec2Network

ROWS_PER_SECOND = 50
SAMPLES_PER_FRAME = 640
PAD = 40
"""Zeros on each side: the field is 400 samples and the step 320, so N video frames give exactly 2·N rows."""


class _Dim:
    """The width of the installed weights, on the class as on its instances."""

    def __get__(self, instance: object, owner: type) -> int:
        return wav2vec2_weights.load_config(_installed()).hidden_size


class Wav2Vec2:
    """The last layer of wav2vec 2.0, one row per video frame: the `SpeechFeature` 'wav2vec2'.

    Attention hears a whole utterance, so no context is long enough for two blocks to agree: around their border, rows
    fade over 4 s from the one that was heard with the block before to the one heard with the block after.

    CheckpointError, as soon as its width or a row is asked for, when no weights have been brought.
    """

    name = "wav2vec2"
    dim = _Dim()
    rate = 1
    block_frames = 250
    context_frames = 100
    fade_frames = 50
    """On each side of a border; every row that is used was heard with at least as many frames around it."""
    halo_frames = block_frames + context_frames + fade_frames

    def __init__(self) -> None:
        self._source: SampleSource | None = None
        self._kept: dict[int, F32] = {}

    def block(self, source: SampleSource, index: int) -> F32:
        """(250, dim) rows of the absolute block `index`."""
        size, before, fade = self.block_frames, self.context_frames, self.fade_frames
        rows = self._heard(source, index)[before : before + size].copy()
        if not self._sounds(source, index):
            return rows
        later = ((np.arange(2 * fade) + 0.5) / (2 * fade)).astype(np.float32)[:, None]
        if self._sounds(source, index - 1):
            previous = self._heard(source, index - 1)[before + size : before + size + fade]
            rows[:fade] = later[fade:] * rows[:fade] + (1 - later[fade:]) * previous
        if self._sounds(source, index + 1):
            following = self._heard(source, index + 1)[before - fade : before]
            rows[-fade:] = (1 - later[:fade]) * rows[-fade:] + later[:fade] * following
        return rows

    def _heard(self, source: SampleSource, index: int) -> F32:
        """(450, dim) rows of a block and its context; neighbouring blocks share them, so the last few are kept."""
        if source != self._source:
            self._source, self._kept = source, {}
        if index not in self._kept:
            first = index * self.block_frames - self.context_frames
            frames = self.block_frames + 2 * self.context_frames
            samples = source(first * SAMPLES_PER_FRAME, (first + frames) * SAMPLES_PER_FRAME)
            self._kept = {k: rows for k, rows in self._kept.items() if abs(k - index) <= 2}
            self._kept[index] = utterance(_network(), samples)
        return self._kept[index]

    def _sounds(self, source: SampleSource, index: int) -> bool:
        """Whether a block holds any sound: beyond the ends of a recording there is nothing to fade to."""
        samples = self.block_frames * SAMPLES_PER_FRAME
        return bool(source(index * samples, (index + 1) * samples).any())


def fingerprint() -> str:
    """SHA-256 of the installed weights, hexadecimal: what was trained on their rows understands no others."""
    path = _installed()
    return _hash(path, path.stat().st_mtime_ns)


def utterance(network: Wav2Vec2Network, samples: F32) -> F32:
    """Rows of samples heard as one utterance.

    Digital silence at the ends is what lies beyond a recording: it is left out of the utterance, whose statistics it
    would change, and gets the row of silence.

    Args:
        samples: (640·N,) in [-1, 1] at 16 kHz.
    Returns:
        (N, dim) float32 at 25 frames a second.
    """
    sounding = np.flatnonzero(samples)
    silent = _encode(network, np.zeros(SAMPLES_PER_FRAME, np.float32))
    rows = np.repeat(silent, len(samples) // SAMPLES_PER_FRAME, axis=0)
    if len(sounding):
        start, stop = sounding[0] // SAMPLES_PER_FRAME, sounding[-1] // SAMPLES_PER_FRAME + 1
        rows[start:stop] = _encode(network, samples[start * SAMPLES_PER_FRAME : stop * SAMPLES_PER_FRAME])
    return rows


def to_frames(rows: F32, count: int, fps: Fraction = FPS) -> F32:
    """Rows at 50 Hz at the middles of `count` video frames, by linear interpolation; ends repeat.

    Row r stands for the 20 ms from r/50 s on. At 25 frames a second this is the mean of each pair.
    """
    at = np.clip((np.arange(count) + 0.5) * float(ROWS_PER_SECOND / fps) - 0.5, 0, len(rows) - 1)
    low = np.minimum(at.astype(int), len(rows) - 2)
    share = (at - low).astype(np.float32)[:, None]
    return np.asarray(rows[low] * (1 - share) + rows[low + 1] * share, np.float32)


def _encode(network: Wav2Vec2Network, samples: F32) -> F32:
    """(640·N,) samples to (N, dim) rows, after the published normalisation (variance + 1e-7)."""
    import torch

    centred = samples - samples.mean(dtype=np.float64)
    scaled = centred / np.sqrt(samples.var(dtype=np.float64) + 1e-7)
    padded = torch.from_numpy(np.pad(scaled, PAD).astype(np.float32))
    with torch.inference_mode():
        rows = network(padded[None])[0].numpy()
    return to_frames(rows, len(samples) // SAMPLES_PER_FRAME)


def _installed() -> Path:
    path = weights.find("wav2vec2")
    if path is None:
        raise CheckpointError(
            "speech feature 'wav2vec2' needs weights that are not here; bring a Hugging Face folder of wav2vec 2.0 "
            "with: lipwright models add wav2vec2 FOLDER"
        )
    return path


def _network() -> Wav2Vec2Network:
    path = _installed()
    return _loaded(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _loaded(path: Path, written: int) -> Wav2Vec2Network:
    """The network of a file as it was `written`: features are made anew for every stretch, weights read once."""
    from lipwright.core.checkpoint import load_into
    from lipwright.speech.wav2vec2_network import Wav2Vec2Network

    config, state = wav2vec2_weights.load(path)
    network = Wav2Vec2Network(config)
    load_into(network, state, str(path))
    return network.eval()


@lru_cache(maxsize=1)
def _hash(path: Path, written: int) -> str:
    from lipwright.core.files import file_hash

    return file_hash(path)
