"""The feature 'phones' from phones that are known, such as those of a speech engine, instead of recognised."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from lipwright.core.contracts import F32
from lipwright.speech.phones import Phones, phone_rows, smooth_to_video
from lipwright.speech.source import SampleSource

_STEP_S = 0.01
_STEPS_PER_FRAME = 4
SILENT = frozenset({"", "PAU", "SIL", "SP", "H#", "SPN", "#"})
"""Symbols of silence, in capitals."""
ENGINE_SYMBOLS = {"AX": "AH", "IX": "IH", "AXR": "ER", "DX": "D", "EL": "L", "EM": "M", "EN": "N", "NX": "N",
            "UX": "UW", "Q": "HH", "A": "AA", "E": "EH", "I": "IY", "O": "OW", "U": "UW", "X": "HH"}  # fmt: skip
"""Symbols of speech engines beyond the 39 of CMU's dictionary."""
_LIPS = frozenset("PBMFV")
_SHORTEST_S = 0.08
"""Seconds, two video frames: a shorter contact of the lips could fall between frames, so it is held longer."""


class PhoneTime(Protocol):
    """A phone and when it sounds, such as `speech.tts.Phone`."""

    @property
    def symbol(self) -> str:
        """ARPAbet in either case, with or without stress; 'pau' is silence."""

    @property
    def start_s(self) -> float:
        """Seconds from the first sample."""

    @property
    def end_s(self) -> float:
        """Seconds from the first sample."""


def label_of(symbol: str) -> str:
    """The label that `phone_rows` knows; 'SIL' for silence. Unknown symbols count as a neutral vowel."""
    bare = symbol.upper().rstrip("0123456789")
    if bare in SILENT:
        return "SIL"
    bare = ENGINE_SYMBOLS.get(bare, bare)
    return bare if phone_rows([bare])[0, 0] == 0 else "AH"


class ExactPhones:
    """Rows like those of `Phones`, on the same grid, from known times: the `SpeechFeature` 'phones'."""

    name, dim, rate, block_frames = Phones.name, Phones.dim, Phones.rate, Phones.block_frames
    halo_frames = block_frames

    def __init__(self, phones: Sequence[PhoneTime]) -> None:
        self._phones = sorted(phones, key=lambda p: p.start_s)
        self._starts = [p.start_s for p in self._phones]
        self._contacts = [_held(p) for p in self._phones if label_of(p.symbol) in _LIPS]
        self._contact_starts = [start for start, _, _ in self._contacts]

    def block(self, source: SampleSource, index: int) -> F32:
        """(250, 20) rows of the absolute block `index`; the samples do not matter."""
        margin = 2
        first = (index * self.block_frames - margin) * _STEPS_PER_FRAME
        steps = np.arange((self.block_frames + 2 * margin) * _STEPS_PER_FRAME) + first
        rows = phone_rows([self._label((step + 0.5) * _STEP_S) for step in steps])
        return smooth_to_video(rows)[margin : margin + self.block_frames]

    def _label(self, at_s: float) -> str:
        contact = bisect_right(self._contact_starts, at_s) - 1
        if contact >= 0 and at_s < self._contacts[contact][1]:
            return self._contacts[contact][2]
        position = bisect_right(self._starts, at_s) - 1
        if position < 0 or at_s >= self._phones[position].end_s:
            return "SIL"
        return label_of(self._phones[position].symbol)


def _held(phone: PhoneTime) -> tuple[float, float, str]:
    """(start, end, label) of a contact of the lips, lengthened about its middle."""
    more = max(_SHORTEST_S - (phone.end_s - phone.start_s), 0) / 2
    return phone.start_s - more, phone.end_s + more, label_of(phone.symbol)
