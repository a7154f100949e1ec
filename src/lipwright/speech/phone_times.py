"""When the phones of a known English text are spoken: forced alignment of words, then of phones within parts."""

from __future__ import annotations

from collections.abc import Sequence

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.errors import SpeechError
from lipwright.speech.align import align
from lipwright.speech.forced import Aligner
from lipwright.speech.phones import CLASSES, PhoneLoop
from lipwright.speech.source import SampleSource
from lipwright.speech.words import Token, Word, clean, tokens

TimedPhone = tuple[str, float, float]
"""ARPAbet symbol without stress, start and end in seconds from the first sample."""
_LONGEST_S = 15.0
_PAUSE_S = 0.15
"""Parts end in the first pause this long after half their longest time."""
_LOST = 0.2
"""Share of the words in parts without phones from which the text counts as not aligned."""

_CHECKED_S = 20.0
_AGREEMENT = 0.37
"""Measured: a synthetic voice with its own text 0.79, a reader 0.59, a radio recording of 1961 0.47; a foreign text
over the synthetic voice 0.28."""


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
    waiting = _parts(aligned.words)[::-1]
    while waiting:
        a, b = waiting.pop()
        part = _phones(aligner, spoken[a:b], aligned.words[a:b], source, n_samples / SAMPLE_RATE)
        found += part
        if part:
            continue
        aligner = Aligner()  # the recogniser does not get over a failure
        if b - a > 1:
            waiting += [((a + b) // 2, b), (a, (a + b) // 2)]
        else:
            lost += 1
    if lost > _LOST * len(spoken) or agreement(found, source) < _AGREEMENT:
        raise refusal
    return tuple(found)


def agreement(phones: Sequence[TimedPhone], source: SampleSource) -> float:
    """Share of phones, of some 20 s in the middle, whose class a recogniser without a text hears there; 0 to 1.

    An aligner lays any words over any speech; this tells whether they are what is said.
    """
    if not phones:
        return 0.0
    start_s = max(0.0, (phones[0][1] + phones[-1][2] - _CHECKED_S) / 2)
    checked = [p for p in phones if start_s <= p[1] and p[2] <= start_s + _CHECKED_S]
    first = round(start_s * SAMPLE_RATE)
    heard = PhoneLoop().labels(source(first, first + round(_CHECKED_S * SAMPLE_RATE)))
    class_of = {phone: name for name, members in CLASSES.items() for phone in members.split()}
    hits = [class_of.get(heard[int(((a + b) / 2 - start_s) * 100)]) == class_of[name] for name, a, b in checked]
    return sum(hits) / len(hits) if hits else 0.0


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
