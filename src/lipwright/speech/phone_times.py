"""When the phones of a known English text are spoken: forced alignment of words, then of phones within parts."""

from __future__ import annotations

from collections.abc import Sequence

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.errors import SpeechError
from lipwright.speech.align import align
from lipwright.speech.forced import Aligner
from lipwright.speech.source import SampleSource
from lipwright.speech.words import Token, Word, clean, tokens

TimedPhone = tuple[str, float, float]
"""ARPAbet symbol without stress, start and end in seconds from the first sample."""
_LONGEST_S = 15.0
_PAUSE_S = 0.15
"""Parts end in the first pause this long after half their longest time."""
_LOST = 0.2
"""Share of the words in parts without phones from which the text counts as not aligned."""


def phone_times(text: str, source: SampleSource, n_samples: int) -> tuple[TimedPhone, ...]:
    """Phones of a text that is spoken in a recording, in order; pauses are left out.

    Args:
        text: what is said, whole and in order, in English.
        source: reads the recording, 16 kHz.
        n_samples: its length.

    SpeechError when the text has no words, is not English or is not what the recording says.
    """
    aligned = align(text, source, n_samples)
    refusal = SpeechError(
        "the transcript cannot be laid over the speech; give English text that is exactly what is said, or phones "
        "with times"
    )
    if aligned.method != "alignment":
        raise refusal
    spoken = [t for t in tokens(clean(text)) if any(c.isalnum() for c in t.text)]
    aligner, found, lost = Aligner(), list[TimedPhone](), 0
    for a, b in _parts(aligned.words):
        part = _phones(aligner, spoken[a:b], aligned.words[a:b], source, n_samples / SAMPLE_RATE)
        lost += 0 if part else b - a
        found += part
    if lost > _LOST * len(spoken):
        raise refusal
    return tuple(found)


def _phones(
    aligner: Aligner, spoken: Sequence[Token], words: Sequence[Word], source: SampleSource, length_s: float
) -> list[TimedPhone]:
    margin = _PAUSE_S / 3
    first = round(max(words[0].start_s - margin, 0.0) * SAMPLE_RATE)
    last = round(min(words[-1].end_s + margin, length_s) * SAMPLE_RATE)
    found = aligner.phones(spoken, source(first, last))
    return [(name, start + first / SAMPLE_RATE, end + first / SAMPLE_RATE) for name, start, end in found]


def _parts(words: Sequence[Word]) -> list[tuple[int, int]]:
    """[a, b) ranges of words, cut in pauses where there are any."""
    parts, a = [], 0
    for k in range(1, len(words)):
        long = words[k].end_s - words[a].start_s > _LONGEST_S
        pause = words[k].start_s - words[k - 1].end_s >= _PAUSE_S
        if long or (pause and words[k].start_s - words[a].start_s > _LONGEST_S / 2):
            parts.append((a, k))
            a = k
    return [*parts, (a, len(words))]
