"""When the words of a known text are spoken in a recording.

English: forced alignment, long recordings in parts. Other languages, and texts that do not fit: letters over the
sounding stretches (`spread`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.errors import SpeechError
from lipwright.speech.forced import Aligner
from lipwright.speech.pauses import SAMPLES_PER_FRAME, Pauses, stretches
from lipwright.speech.source import SampleSource
from lipwright.speech.spread import spread
from lipwright.speech.words import Token, Word, clean, tokens

PART_S = (30.0, 75.0)
"""Shortest and longest part, seconds: the aligner's time and memory grow with the square of its recording."""
_CUT_PAUSE_S = 0.25
"""A recording is cut in pauses at least this long, where a clause ends."""
_LOST = 0.1
"""Share of the words, the last ones, that the aligner may fail to reach."""
_UNALIGNED = 0.2
"""Share of the words in parts that could not be aligned from which the whole counts as spread by letters."""


@dataclass(frozen=True)
class Aligned:
    """Words in time."""

    words: tuple[Word, ...]
    method: str
    """'alignment' (the text was found in the sound) or 'letters' (it was spread evenly between pauses)."""


def align(text: str, source: SampleSource, n_samples: int, part_s: tuple[float, float] = PART_S) -> Aligned:
    """Times of the words of a text that is spoken in a recording.

    Args:
        text: what is said, whole and in order.
        source: reads the recording, 16 kHz; a part of it at a time.
        n_samples: its length.
        part_s: shortest and longest part that is aligned at once, seconds.
    Raises:
        SpeechError: the text has no words.
    """
    spoken = [t for t in tokens(clean(text)) if any(c.isalnum() for c in t.text)]
    if not spoken:
        raise SpeechError("the transcript holds no words; give the text that is spoken")
    heard = sounding(source, n_samples)
    guess = spread(spoken, heard)
    aligner = Aligner()
    if not aligner.knows(spoken):
        return Aligned(guess, "letters")
    words: list[Word] = []
    missed, length_s = 0, n_samples / SAMPLE_RATE
    for a, b in _parts(spoken, guess, part_s):
        start_s = 0.0 if a == 0 else (guess[a - 1].end_s + guess[a].start_s) / 2
        end_s = length_s if b == len(spoken) else (guess[b - 1].end_s + guess[b].start_s) / 2
        found = _part(aligner, spoken[a:b], source, start_s, end_s, heard) if end_s - start_s <= 2 * part_s[1] else ()
        missed += 0 if found else b - a
        words += found or guess[a:b]
    if missed > _UNALIGNED * len(spoken):
        return Aligned(guess, "letters")
    return Aligned(tuple(words), "alignment")


def _part(
    aligner: Aligner,
    spoken: Sequence[Token],
    source: SampleSource,
    start_s: float,
    end_s: float,
    heard: Sequence[tuple[float, float]],
) -> tuple[Word, ...]:
    """Words of one part, seconds of the whole recording; empty when it cannot be aligned."""
    first = round(start_s * SAMPLE_RATE)
    found = aligner.force(spoken, source(first, round(end_s * SAMPLE_RATE)))
    words = tuple(w.moved(0, first / SAMPLE_RATE) for w in found)
    left = spoken[len(words) :]
    if not left or not words or len(left) > _LOST * len(spoken):
        return () if left else words
    after = [(max(a, words[-1].end_s), min(b, end_s)) for a, b in heard if b > words[-1].end_s and a < end_s]
    return (*words, *spread(left, after)) if after else ()  # the end is too unclear: only it is spread


def _parts(spoken: Sequence[Token], guess: Sequence[Word], part_s: tuple[float, float]) -> list[tuple[int, int]]:
    """[a, b) token ranges to align at once, cut in the longest pauses at ends of clauses and sentences."""
    shortest, longest = part_s
    pauses = {
        k: guess[k].start_s - guess[k - 1].end_s + 0.2 * spoken[k - 1].rest
        for k in range(1, len(spoken))
        if spoken[k - 1].rest and guess[k].start_s - guess[k - 1].end_s >= _CUT_PAUSE_S
    }
    cuts, begin, end = [0], guess[0].start_s, guess[-1].end_s
    while end - begin > longest:
        near = [k for k in pauses if k > cuts[-1] and shortest <= guess[k].start_s - begin <= longest]
        near = near or [k for k in pauses if k > cuts[-1] and guess[k].start_s - begin > longest][:1]
        if not near:
            break
        cuts.append(max(near, key=lambda k: pauses[k]))
        begin = guess[cuts[-1]].start_s
    return list(zip(cuts, [*cuts[1:], len(spoken)], strict=True))


def sounding(source: SampleSource, n_samples: int) -> list[tuple[float, float]]:
    """(start_s, end_s) of the stretches in which somebody speaks, to a video frame; everything when nobody does."""
    pauses, blocks = Pauses(), -(-n_samples // (SAMPLES_PER_FRAME * Pauses.block_frames))
    silent = np.concatenate([pauses.block(source, k)[:, 0] for k in range(blocks)]) > 0.5
    frame_s, length_s = SAMPLES_PER_FRAME / SAMPLE_RATE, n_samples / SAMPLE_RATE
    found = [(a * frame_s, min(b * frame_s, length_s)) for a, b in stretches(~silent) if a * frame_s < length_s]
    return found or [(0.0, length_s)]
