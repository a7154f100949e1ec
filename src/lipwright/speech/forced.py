"""Forced alignment of English: pocketsphinx lays the words of a known text over a recording.

Words come from its own dictionary (CMU's); those beyond it get a pronunciation from their stem, as a number, or
roughly from their spelling.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.speech.words import Token, Word, letters_of

if TYPE_CHECKING:
    from pocketsphinx import Decoder

_KNOWN = 0.75
"""Share of the words that must be in the dictionary for the text to be taken for English."""
_STEP, _STEP_S = 160, 0.01
_EDGE = 25
"""Steps of silence added at either end."""
_SPELLING = {
    "tch": "CH", "igh": "AY", "sh": "SH", "ch": "CH", "th": "TH", "ph": "F", "ck": "K", "ng": "NG", "qu": "K W",
    "ee": "IY", "ea": "IY", "oo": "UW", "ou": "AW", "ow": "OW", "ai": "EY", "ay": "EY", "oi": "OY", "oy": "OY",
    "au": "AO", "aw": "AO", "er": "ER", "ir": "ER", "ur": "ER", "wh": "W", "kn": "N", "wr": "R",
    "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH",
    "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T",
    "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z", "0": "Z IH R OW", "1": "W AH N",
    "2": "T UW", "3": "TH R IY", "4": "F AO R", "5": "F AY V", "6": "S IH K S", "7": "S EH V AH N", "8": "EY T",
    "9": "N AY N",
}  # fmt: skip
_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


class Aligner:
    """The aligner, loaded at first use."""

    def __init__(self) -> None:
        self._loaded: Decoder | None = None

    @property
    def _decoder(self) -> Decoder:
        if self._loaded is None:
            self._loaded = _load()
        return self._loaded

    def knows(self, spoken: Sequence[Token]) -> bool:
        """Whether a text is English: in its letters, and three words in four in the dictionary."""
        labels = [_label(t.text) for t in spoken]
        if not all(labels):
            return False
        return sum(self._decoder.lookup_word(label) is not None for label in labels) >= _KNOWN * len(labels)

    def force(self, spoken: Sequence[Token], samples: F32) -> tuple[Word, ...]:
        """Times of words in (S,) samples at 16 kHz that hold these words and no others.

        From the first word on; fewer than there are where the end is unclear, none where nothing fits.
        """
        labels = self._learnt(spoken)
        segments = _segments(self._decoder, labels, samples)
        if [name for name, _, _ in segments] != labels[: len(segments)]:
            return ()
        return tuple(
            Word(a, b, start * _STEP_S, (end + 1) * _STEP_S)
            for (a, b), (_, start, end) in zip(letters_of(spoken), segments, strict=False)
        )

    def phones(self, spoken: Sequence[Token], samples: F32) -> tuple[tuple[str, float, float], ...]:
        """(ARPAbet phone, start, end in seconds) of these words in (S,) samples that hold no others.

        Phones that no step of 10 ms belongs to are left out; none where the words do not fit.
        """
        labels = self._learnt(spoken)
        found = [name for name, _, _ in _segments(self._decoder, labels, samples)]
        if found != labels:
            return ()
        try:
            self._decoder.set_alignment()
            _hear(self._decoder, samples)
        except (RuntimeError, ValueError):
            return ()
        length_s = len(samples) / SAMPLE_RATE
        phones = [p for word in self._decoder.get_alignment() or () for p in word]
        times = [(p.name, *np.clip([p.start, p.start + p.duration], 0, None).tolist()) for p in phones]
        placed = [
            (name, max((a - _EDGE) * _STEP_S, 0.0), min((b - _EDGE) * _STEP_S, length_s))
            for name, a, b in times
            if name.isalpha() and name != "SIL"
        ]
        return tuple(p for p in placed if p[1] < p[2])

    def _learnt(self, spoken: Sequence[Token]) -> list[str]:
        """The words as the dictionary writes them, which now holds them all."""
        labels = [_label(t.text) for t in spoken]
        for label in sorted(set(labels)):
            if self._decoder.lookup_word(label) is None:
                self._decoder.add_word(label, _pronounced(label, self._decoder), False)
        return labels


def _hear(decoder: Decoder, samples: F32) -> None:
    edge = np.zeros(_EDGE * _STEP, np.float32)  # the aligner wants silence at both ends
    pcm = np.clip(np.round(np.concatenate([edge, samples, edge]) * 32767.0), -32768, 32767)
    noise = np.random.default_rng(0).integers(-2, 3, len(pcm))  # digital silence has no log energy
    decoder.start_utt()
    decoder.process_raw((pcm + noise).clip(-32768, 32767).astype(np.int16).tobytes(), full_utt=True)
    decoder.end_utt()


def _segments(decoder: Decoder, labels: list[str], samples: F32) -> list[tuple[str, int, int]]:
    """(label, first, last 10 ms step) of each word; empty when the text cannot be laid over the recording."""
    try:
        decoder.set_align_text(" ".join(labels))
        _hear(decoder, samples)
    except (RuntimeError, ValueError):
        return []
    steps = -(-len(samples) // _STEP)
    found = [
        (re.sub(r"\(\d+\)$", "", s.word), *np.clip([s.start_frame - _EDGE, s.end_frame - _EDGE], 0, steps - 1).tolist())
        for s in decoder.seg() or []
    ]
    return [s for s in found if not s[0].startswith("<") and not s[0].startswith("[")]


def _load() -> Decoder:
    from pocketsphinx import Decoder, get_model_path

    return Decoder(
        lm=None,
        hmm=get_model_path("en-us/en-us"),
        dict=get_model_path("en-us/cmudict-en-us.dict"),
        samprate=SAMPLE_RATE,
        cmn="batch",
        bestpath=False,  # the search of its lattice loses the end of parts that the beam reached
        dither=False,
        beam=1e-80,
        pbeam=1e-80,
        wbeam=1e-60,
        loglevel="FATAL",
    )


def _label(text: str) -> str:
    """A token as the dictionary writes words; empty when it has letters that English lacks."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    kept = "".join(c for c in plain if c.isalnum() or c in "'")
    return kept.strip("'") if re.fullmatch(r"[a-z0-9']+", kept) else ""


def number_words(number: int) -> list[str]:
    """English words of 0 to 999 999; the digits of anything longer. Years between 1100 and 1999 in hundreds."""
    if number < 20:
        return [_ONES[number]]
    if number < 100:
        return [_TENS[number // 10], *([_ONES[number % 10]] if number % 10 else [])]
    hundreds = number // 100
    if number < 1000 or (1100 <= number < 2000 and number % 1000 >= 100):
        rest = number_words(number % 100) if number % 100 else []
        return [*number_words(hundreds), *([] if hundreds > 10 and rest else ["hundred"]), *rest]
    if number < 1_000_000:
        return [*number_words(number // 1000), "thousand", *(number_words(number % 1000) if number % 1000 else [])]
    return [_ONES[int(digit)] for digit in str(number)]


def _pronounced(label: str, decoder: Decoder) -> str:
    """Phones of a word beyond the dictionary: of a number, of its stem, or letter by letter."""
    if label.isdecimal():
        return " ".join(decoder.lookup_word(word) or "" for word in number_words(int(label)))
    for ending, phones in (("'s", "Z"), ("s", "Z"), ("ed", "D"), ("ing", "IH NG"), ("er", "ER"), ("est", "AH S T")):
        stem = label.removesuffix(ending)
        if stem != label and len(stem) > 2:
            for whole in (stem, stem + "e"):
                known = decoder.lookup_word(whole)
                if known is not None:
                    return f"{known} {phones}"
    found, rest = [], label
    while rest:
        size = next((n for n in (3, 2, 1) if rest[:n] in _SPELLING), 0)
        if size:
            found.append(_SPELLING[rest[:size]])
        rest = rest[max(size, 1) :]
    return " ".join(found) or "AH"
