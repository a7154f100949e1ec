"""The phones of a recording where something tells them: an alignment, or the words and the sound together."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lipwright.speech.alignments import read_alignment
from lipwright.speech.exact import PhoneTime
from lipwright.speech.forced import Aligner
from lipwright.speech.phone_times import phone_times
from lipwright.speech.source import SampleSource
from lipwright.speech.tts import Phone
from lipwright.speech.words import clean, tokens


def phones_of(
    source: SampleSource,
    n_samples: int,
    transcript: str | None = None,
    alignment: str | os.PathLike[str] | Sequence[PhoneTime] | None = None,
    language: str | None = None,
) -> list[Phone] | None:
    """Phones with times, or None where nothing tells them and the recogniser has to listen.

    Args:
        source: reads the recording, 16 kHz.
        n_samples: its length.
        transcript: what is said, whole and in order. English is aligned by its dictionary, other languages by
            espeak-ng's pronunciation; None comes back when it is not English and no language is named.
        alignment: a file for `read_alignment`, or phones; goes before the transcript.
        language: BCP 47 or espeak-ng code of the transcript.
    Raises:
        SpeechError: a damaged alignment, a text without words or that is not what is said, an unknown language.
        DependencyError: the text is not English and espeak-ng is not installed.
    """
    if isinstance(alignment, (str, os.PathLike)):
        return list(read_alignment(alignment))
    if alignment is not None:
        return [Phone(p.symbol, p.start_s, p.end_s) for p in alignment]
    if transcript is None:
        return None
    if language is None and not _is_english(transcript):
        return None
    if language is None or language.lower().split("-")[0] == "en":
        return [Phone(name.lower(), a, b) for name, a, b in phone_times(transcript, source, n_samples)]
    from lipwright.speech.align_phones import align_phones
    from lipwright.speech.phonemise import phonemise

    return list(align_phones(source, n_samples, phonemise(clean(transcript), language)))


def _is_english(text: str) -> bool:
    spoken = [t for t in tokens(clean(text)) if any(c.isalnum() for c in t.text)]
    return not spoken or Aligner().knows(spoken)  # no words at all: the aligner says so
