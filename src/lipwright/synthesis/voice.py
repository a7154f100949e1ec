"""Speech on its way in: any file, array or text as 16 kHz mono of known length, in constant memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError, ShapeError, SpeechError
from lipwright.media.audio import AudioReader
from lipwright.speech.exact import PhoneTime
from lipwright.speech.known_phones import phones_of
from lipwright.speech.source import SampleSource, array_source
from lipwright.speech.tts import Speech

_QUIET = 1e-4
"""Peak below which a whole file counts as silent (-80 dBFS)."""
_LARGEST_OFFSET_MS = 1000.0


@dataclass
class Voice:
    """Speech ready for the motion model.

    Attributes:
        n_samples: at 16 kHz.
        source: reads any stretch, zeros beyond the ends.
        sound: what goes into the result's sound track: a file at its own rate, or samples.
        sound_rate: of `sound` when it is samples.
        phones: what is said when, where that is known exactly; None leaves it to the recogniser.
    """

    n_samples: int
    source: SampleSource
    sound: Path | F32
    sound_rate: int = SAMPLE_RATE
    phones: Sequence[PhoneTime] | None = None
    _stack: ExitStack | None = None

    def close(self) -> None:
        """Delete temporary files."""
        if self._stack is not None:
            self._stack.close()


@dataclass(frozen=True)
class _Moved:
    """A phone at another time."""

    symbol: str
    start_s: float
    end_s: float


def heard_later(voice: Voice, offset_ms: float) -> Voice:
    """The voice as lips that are `offset_ms` late hear it; the result's sound stays. ConfigError beyond a second."""
    if not -_LARGEST_OFFSET_MS <= offset_ms <= _LARGEST_OFFSET_MS:
        raise ConfigError(f"offset {offset_ms:g} ms is outside [-1000, 1000]; lips that far off fit no speech")
    if offset_ms == 0:
        return voice
    late, read = round(offset_ms * SAMPLE_RATE / 1000), voice.source
    by = late / SAMPLE_RATE
    phones = None if voice.phones is None else [_Moved(p.symbol, p.start_s + by, p.end_s + by) for p in voice.phones]
    return replace(voice, source=lambda start, stop: read(start - late, stop - late), phones=phones, _stack=None)


def voice_of_samples(samples: F32, sample_rate: int = SAMPLE_RATE, phones: Sequence[PhoneTime] | None = None) -> Voice:
    """Mono samples in [-1, 1] at any rate, with the phones in them where they are known."""
    if samples.ndim != 1:
        raise ShapeError("samples", ("S",), samples.shape)
    if not np.issubdtype(samples.dtype, np.floating):
        raise SpeechError(f"the speech is given as {samples.dtype} samples; give floats in [-1, 1]")
    if not np.isfinite(samples).all():
        raise SpeechError("the speech holds samples that are not a number or infinite; check how it was made")
    speech = samples.astype(np.float32)
    if sample_rate != SAMPLE_RATE:
        from math import gcd

        from scipy.signal import resample_poly

        common = gcd(sample_rate, SAMPLE_RATE)
        speech = resample_poly(speech, SAMPLE_RATE // common, sample_rate // common).astype(np.float32)
    _refuse(len(speech), float(np.abs(speech).max(initial=0)), "the speech")
    return Voice(len(speech), array_source(speech), samples.astype(np.float32), sample_rate, phones)


def voice_of_file(path: str | os.PathLike[str]) -> Voice:
    """Any audio or video file; decoded once into a temporary file, so memory does not grow with length."""
    stack = ExitStack()
    try:
        spool = stack.enter_context(tempfile.TemporaryFile(prefix="lipwright-speech-"))  # noqa: SIM115 (the stack closes it)
        n, peak = 0, 0.0
        for block in AudioReader(path).blocks(SAMPLE_RATE):
            spool.write(block.astype("<f4").tobytes())
            n += len(block)
            peak = max(peak, float(np.abs(block).max(initial=0)))
        spool.flush()
        _refuse(n, peak, str(path))
    except BaseException:
        stack.close()
        raise

    def read(start: int, stop: int) -> F32:
        out = np.zeros(max(stop - start, 0), np.float32)
        first, last = max(start, 0), min(stop, n)
        if last > first:
            data = os.pread(spool.fileno(), 4 * (last - first), 4 * first)
            out[first - start : last - start] = np.frombuffer(data, "<f4")
        return out

    return Voice(n, read, Path(path), SAMPLE_RATE, _stack=stack)


def voice_of(
    speech: str | os.PathLike[str] | F32 | Speech,
    transcript: str | None = None,
    alignment: str | os.PathLike[str] | Sequence[PhoneTime] | None = None,
    language: str | None = None,
) -> Voice:
    """A file, samples at 16 kHz or what a speech engine said, with the phones that an alignment or transcript tells."""
    if isinstance(speech, Speech):
        voice = voice_of_samples(speech.samples, speech.sample_rate, speech.phones)
    elif isinstance(speech, (str, os.PathLike)):
        voice = voice_of_file(speech)
    else:
        voice = voice_of_samples(speech)
    if transcript is None and alignment is None:
        return voice
    try:
        voice.phones = phones_of(voice.source, voice.n_samples, transcript, alignment, language)
    except BaseException as error:
        if isinstance(error, SpeechError) and alignment is None:
            return voice  # not what is said, as far as the aligner can tell: the recogniser listens
        voice.close()
        raise
    return voice


def _refuse(n_samples: int, peak: float, where: str) -> None:
    if n_samples < SAMPLE_RATE // 25:
        raise SpeechError(
            f"{where} holds {1000 * n_samples / SAMPLE_RATE:.0f} ms of sound, less than one video frame (40 ms); "
            "give longer speech"
        )
    if peak < _QUIET:
        raise SpeechError(f"{where} is silent from start to end; check the recording or choose another track")
