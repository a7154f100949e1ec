"""Forced alignment in any language: a known sequence of phones laid over a recording by the recogniser's posteriors."""

from __future__ import annotations

from collections.abc import Sequence

from lipwright.speech.articulation import Recogniser
from lipwright.speech.source import SampleSource
from lipwright.speech.tts import Phone


def align_phones(
    source: SampleSource,
    n_samples: int,
    phones_of_words: Sequence[Sequence[str]],
    recogniser: Recogniser | None = None,
) -> list[Phone]:
    """When the phones of known words sound (Viterbi), pauses optional between words.

    Args:
        source: reads the recording, 16 kHz.
        n_samples: its length.
        phones_of_words: ARPAbet in either case, with or without stress; one sequence per word (`speech.phonemise`).
        recogniser: the shipped one when None.
    Returns:
        Phones in lower case that tile the recording, 'pau' where nobody speaks. SpeechError when there are no phones or
        the recording is too short for them.
    """
    raise NotImplementedError
