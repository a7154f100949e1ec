"""Speech features by name, computed for any stretch of speech with values that never depend on the chunking.

Every feature works on a fixed grid of absolute blocks: block k covers video frames
[k·block_frames, (k + 1)·block_frames) and is always computed as a whole from the samples around it, so a
stretch cut out of a stream equals the same stretch of the whole file bit for bit, in constant memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.registry import Registry
from lipwright.speech.articulation import Articulation
from lipwright.speech.cepstra import Cepstra
from lipwright.speech.exact import ExactPhones, PhoneTime
from lipwright.speech.logfbank import LogFbank
from lipwright.speech.logmel import LogMel
from lipwright.speech.mfcc import Mfcc12, Mfcc80
from lipwright.speech.pauses import Pauses
from lipwright.speech.phones import Phones
from lipwright.speech.source import SampleSource, array_source
from lipwright.speech.visemes import Visemes
from lipwright.speech.wav2vec2 import Wav2Vec2


class SpeechFeature(Protocol):
    """One kind of feature at 25 video frames a second."""

    name: str
    dim: int
    """Channels per row."""
    rate: int
    """Rows per video frame."""
    halo_frames: int
    """Frames of speech around a frame that can change its rows."""
    block_frames: int
    """Frames of one block of the absolute grid."""

    def block(self, source: SampleSource, index: int) -> F32:
        """(rate·block_frames, dim) rows of block `index`, which may be negative (silence)."""


SPEECH_FEATURES: Registry[type[SpeechFeature]] = Registry("speech feature")
SPEECH_FEATURES.add(LogFbank.name, LogFbank)
SPEECH_FEATURES.add(LogMel.name, LogMel)
SPEECH_FEATURES.add(Mfcc12.name, Mfcc12)
SPEECH_FEATURES.add(Mfcc80.name, Mfcc80)
SPEECH_FEATURES.add(Cepstra.name, Cepstra)
SPEECH_FEATURES.add(Phones.name, Phones)
SPEECH_FEATURES.add(Pauses.name, Pauses)
SPEECH_FEATURES.add(Visemes.name, Visemes)
SPEECH_FEATURES.add(Articulation.name, Articulation)
SPEECH_FEATURES.add(Wav2Vec2.name, Wav2Vec2)


class FeatureReader:
    """Reads named features of one source; keeps the last few blocks, which neighbouring chunks share.

    With `phones`, times that are known, 'phones' and 'visemes' are made from them instead of recognised.
    """

    def __init__(
        self,
        source: SampleSource,
        names: Sequence[str],
        keep_blocks: int = 4,
        phones: Sequence[PhoneTime] | None = None,
    ) -> None:
        self._source = source
        self._features: dict[str, SpeechFeature] = {name: _make(name, phones) for name in names}
        self._keep = keep_blocks
        self._blocks: dict[str, OrderedDict[int, F32]] = {name: OrderedDict() for name in names}

    def read(self, first_frame: int, n_frames: int) -> dict[str, F32]:
        """Features of video frames [first_frame, first_frame + n_frames); frames past the ends are silence.

        Returns:
            name -> (rate·n_frames, dim) float32.
        """
        return {name: self._rows(feature, first_frame, n_frames) for name, feature in self._features.items()}

    def _rows(self, feature: SpeechFeature, first: int, n: int) -> F32:
        size, rate = feature.block_frames, feature.rate
        pieces = [np.zeros((0, feature.dim), np.float32)]
        for index in range(first // size, (first + n - 1) // size + 1 if n > 0 else first // size):
            low, high = max(first - index * size, 0), min(first + n - index * size, size)
            pieces.append(self._block(feature, index)[low * rate : high * rate])
        return np.concatenate(pieces)

    def _block(self, feature: SpeechFeature, index: int) -> F32:
        kept = self._blocks[feature.name]
        if index not in kept:
            kept[index] = feature.block(self._source, index)
            while len(kept) > self._keep:
                kept.popitem(last=False)
        kept.move_to_end(index)
        return kept[index]


def _make(name: str, phones: Sequence[PhoneTime] | None) -> SpeechFeature:
    if phones is not None and name == Phones.name:
        return ExactPhones(phones)
    if name == Pauses.name:
        return Pauses(phones)
    if name == Visemes.name:
        return Visemes(phones)
    return SPEECH_FEATURES.get(name)()


def compute(name: str, source: SampleSource, first_frame: int, n_frames: int) -> F32:
    """(rate·n_frames, dim) of one feature of a stretch; see `FeatureReader` for repeated reading."""
    return FeatureReader(source, [name]).read(first_frame, n_frames)[name]


def features_of(samples: F32, names: Sequence[str], n_frames: int, first_frame: int = 0) -> dict[str, F32]:
    """All named features of samples held in memory, for `n_frames` video frames from `first_frame`."""
    return FeatureReader(array_source(samples), names).read(first_frame, n_frames)
