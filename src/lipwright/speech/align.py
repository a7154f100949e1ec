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

_LONGEST_S = 300
"""Seconds: the aligner's memory grows with the square of the length."""
_KNOWN = 0.75
"""Share of the words that must be in the dictionary for the text to be taken for English."""
_STEP_S = 0.01
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
    words = force(pieces, source(0, n_samples)) if n_samples <= _LONGEST_S * SAMPLE_RATE else None
    if words is not None:
        return Aligned(words, "alignment")
    return Aligned(spread(pieces, sounding(source, n_samples)), "letters")


def sounding(source: SampleSource, n_samples: int) -> list[tuple[float, float]]:
    """(start_s, end_s) of the stretches in which somebody speaks, to a video frame; everything when nobody does."""
    pauses, blocks = Pauses(), -(-n_samples // (SAMPLES_PER_FRAME * Pauses.block_frames))
    silent = np.concatenate([pauses.block(source, k)[:, 0] for k in range(blocks)]) > 0.5
    frame_s, length_s = SAMPLES_PER_FRAME / SAMPLE_RATE, n_samples / SAMPLE_RATE
    found = [(a * frame_s, min(b * frame_s, length_s)) for a, b in stretches(~silent) if a * frame_s < length_s]
    return found or [(0.0, length_s)]


def force(pieces: Sequence[Token], samples: F32) -> tuple[Word, ...] | None:
    """Forced alignment of English; None where the text is not English or does not fit the recording."""
    spoken = [t for t in pieces if any(c.isalnum() for c in t.text)]
    labels = [_label(t.text) for t in spoken]
    if not all(labels):  # letters of another script
        return None
    decoder = _decoder()
    unknown = {label for label in labels if decoder.lookup_word(label) is None}
    if sum(label not in unknown for label in labels) < _KNOWN * len(labels):
        return None
    for label in sorted(unknown):
        decoder.add_word(label, _pronounced(label, decoder), False)
    segments = _segments(decoder, labels, samples)
    if [name for name, _, _ in segments] != labels:
        return None
    return tuple(
        Word(a, b, start * _STEP_S, (end + 1) * _STEP_S)
        for (a, b), (_, start, end) in zip(letters_of(spoken), segments, strict=True)
    )


def _segments(decoder: Decoder, labels: list[str], samples: F32) -> list[tuple[str, int, int]]:
    """(label, first, last 10 ms step) of each word; empty when the text cannot be laid over the recording."""
    pcm = np.clip(np.round(samples * 32767.0), -32768, 32767)
    noise = np.random.default_rng(0).integers(-2, 3, len(pcm))  # digital silence has no log energy
    try:
        decoder.set_align_text(" ".join(labels))
        decoder.start_utt()
        decoder.process_raw((pcm + noise).clip(-32768, 32767).astype(np.int16).tobytes(), full_utt=True)
        decoder.end_utt()
    except (RuntimeError, ValueError):
        return []
    found = [(re.sub(r"\(\d+\)$", "", s.word), s.start_frame, s.end_frame) for s in decoder.seg() or []]
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
        beam=1e-100,
        pbeam=1e-100,
        wbeam=1e-80,
        loglevel="FATAL",
    )


def _label(text: str) -> str:
    """A token as the dictionary writes words; empty when it has letters that English lacks."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("’", "'"))
    kept = "".join(c for c in plain if c.isalnum() or c in "'")
    return kept.strip("'") if re.fullmatch(r"[a-z0-9']+", kept) else ""


def _pronounced(label: str, decoder: Decoder) -> str:
    """Phones of a word beyond the dictionary: of its stem, or letter by letter."""
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
