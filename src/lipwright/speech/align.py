"""When the words of a known text are spoken in a recording.

English: forced alignment by pocketsphinx with its own dictionary; words beyond it get a rough pronunciation from
their spelling. Other languages, long recordings, and texts that do not fit: letters over the sounding stretches
(`spread`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.core.errors import SpeechError
from lipwright.speech.pauses import SAMPLES_PER_FRAME, Pauses, stretches
from lipwright.speech.source import SampleSource
from lipwright.speech.spread import spread
from lipwright.speech.words import Token, Word, clean, letters_of, tokens

if TYPE_CHECKING:
    from pocketsphinx import Decoder

_LONGEST_S = 120
"""Seconds: the aligner's time grows with the square of the length (2 s for one minute, over a minute for five)."""
_KNOWN = 0.75
"""Share of the words that must be in the dictionary for the text to be taken for English."""
_LOST = 0.1
"""Share of the words, the last ones, that the aligner may fail to reach."""
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


@dataclass(frozen=True)
class Aligned:
    """Words in time."""

    words: tuple[Word, ...]
    method: str
    """'alignment' (recognised, forced to the text) or 'letters' (spread evenly between pauses)."""


def align(text: str, source: SampleSource, n_samples: int) -> Aligned:
    """Times of the words of a text that is spoken in a recording.

    Args:
        text: what is said, whole and in order.
        source: reads the recording, 16 kHz.
        n_samples: its length.
    Raises:
        SpeechError: the text has no words.
    """
    pieces = tokens(clean(text))
    if not letters_of(pieces):
        raise SpeechError("the transcript holds no words; give the text that is spoken")
    heard = sounding(source, n_samples)
    words = force(pieces, source(0, n_samples)) if n_samples <= _LONGEST_S * SAMPLE_RATE else ()
    left = [t for t in pieces if any(c.isalnum() for c in t.text)][len(words) :]
    if not left:
        return Aligned(words, "alignment")
    if len(left) <= _LOST * len(pieces) and words:  # the last words are too unclear: only they are spread
        after = [(max(start, words[-1].end_s), end) for start, end in heard if end > words[-1].end_s]
        if after:
            return Aligned((*words, *spread(left, after)), "alignment")
    return Aligned(spread(pieces, heard), "letters")


def sounding(source: SampleSource, n_samples: int) -> list[tuple[float, float]]:
    """(start_s, end_s) of the stretches in which somebody speaks, to a video frame; everything when nobody does."""
    pauses, blocks = Pauses(), -(-n_samples // (SAMPLES_PER_FRAME * Pauses.block_frames))
    silent = np.concatenate([pauses.block(source, k)[:, 0] for k in range(blocks)]) > 0.5
    frame_s, length_s = SAMPLES_PER_FRAME / SAMPLE_RATE, n_samples / SAMPLE_RATE
    found = [(a * frame_s, min(b * frame_s, length_s)) for a, b in stretches(~silent) if a * frame_s < length_s]
    return found or [(0.0, length_s)]


def force(pieces: Sequence[Token], samples: F32) -> tuple[Word, ...]:
    """Forced alignment of English: the words from the first on, fewer than there are where the end is unclear.

    Nothing where the text is not English or does not fit the recording.
    """
    spoken = [t for t in pieces if any(c.isalnum() for c in t.text)]
    labels = [_label(t.text) for t in spoken]
    if not all(labels):  # letters of another script
        return ()
    decoder = _decoder()
    unknown = {label for label in labels if decoder.lookup_word(label) is None}
    if sum(label not in unknown for label in labels) < _KNOWN * len(labels):
        return ()
    for label in sorted(unknown):
        decoder.add_word(label, _pronounced(label, decoder), False)
    segments = _segments(decoder, labels, samples)
    if [name for name, _, _ in segments] != labels[: len(segments)]:
        return ()
    return tuple(
        Word(a, b, start * _STEP_S, (end + 1) * _STEP_S)
        for (a, b), (_, start, end) in zip(letters_of(spoken), segments, strict=False)
    )


def _segments(decoder: Decoder, labels: list[str], samples: F32) -> list[tuple[str, int, int]]:
    """(label, first, last 10 ms step) of each word; empty when the text cannot be laid over the recording."""
    edge = np.zeros(_EDGE * _STEP, np.float32)  # the aligner wants silence at both ends
    pcm = np.clip(np.round(np.concatenate([edge, samples, edge]) * 32767.0), -32768, 32767)
    noise = np.random.default_rng(0).integers(-2, 3, len(pcm))  # digital silence has no log energy
    try:
        decoder.set_align_text(" ".join(labels))
        decoder.start_utt()
        decoder.process_raw((pcm + noise).clip(-32768, 32767).astype(np.int16).tobytes(), full_utt=True)
        decoder.end_utt()
    except (RuntimeError, ValueError):
        return []
    steps = -(-len(samples) // _STEP)
    found = [
        (re.sub(r"\(\d+\)$", "", s.word), *np.clip([s.start_frame - _EDGE, s.end_frame - _EDGE], 0, steps - 1).tolist())
        for s in decoder.seg() or []
    ]
    return [s for s in found if not s[0].startswith("<") and not s[0].startswith("[")]


def _decoder() -> Decoder:
    from pocketsphinx import Decoder, get_model_path

    return Decoder(
        lm=None,
        hmm=get_model_path("en-us/en-us"),
        dict=get_model_path("en-us/cmudict-en-us.dict"),
        samprate=SAMPLE_RATE,
        cmn="batch",
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
