"""The sound of a subject: heard once block by block, then written in sync with the pictures."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from lipwright.core.clock import SAMPLE_RATE, round_half_up
from lipwright.core.contracts import F32
from lipwright.core.files import atomic_file
from lipwright.media.audio import AudioReader

BLOCK_S = Fraction(1, 50)
"""Time of one loudness value."""
_BLOCK = round_half_up(BLOCK_S * SAMPLE_RATE)
_READ = 1000 * _BLOCK
_SILENCE_DB = 30.0
"""Sound this far below the loud blocks counts as silence."""


@dataclass(frozen=True)
class Track:
    """Where the sound of a subject comes from."""

    path: Path
    start_s: Fraction
    """Seconds on the pictures' clock."""
    n_samples: int
    """16 kHz samples wanted: exactly as long as the frames."""
    number: int | None = None
    """Which sound track of the file; None for the default one."""

    def blocks(self, shift_s: Fraction = Fraction(0)) -> Iterator[F32]:
        """Samples in blocks, `shift_s` later in the file than the pictures, exactly `n_samples` in all."""
        start = self.start_s + shift_s
        wanted, given = self.n_samples, 0
        if start < 0:  # nothing was recorded before the first picture: silence
            lead = min(round_half_up(-start * SAMPLE_RATE), wanted)
            yield from _silence(lead)
            given += lead
        end = self.start_s + shift_s + Fraction(wanted, SAMPLE_RATE)
        for block in self._reader(max(start, Fraction(0)), end).blocks(_READ) if end > 0 else ():
            block = block[: wanted - given]
            given += len(block)
            if len(block):
                yield block
        yield from _silence(wanted - given)

    def silence(self) -> Iterator[F32]:
        """As many zeros."""
        return _silence(self.n_samples)

    def _reader(self, start_s: Fraction, end_s: Fraction) -> AudioReader:
        return AudioReader(self.path, SAMPLE_RATE, start_s=start_s, end_s=end_s, track=self.number)


def _silence(n: int) -> Iterator[F32]:
    for at in range(0, n, _READ):
        yield np.zeros(min(_READ, n - at), np.float32)


@dataclass
class Loudness:
    """Level of every `BLOCK_S` of sound: a few numbers a second."""

    _rest: F32 = field(default_factory=lambda: np.zeros(0, np.float32))
    _levels: list[F32] = field(default_factory=list)

    def add(self, samples: F32) -> None:
        """The samples that follow."""
        joined = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        n = len(joined) // _BLOCK
        power = (joined[: n * _BLOCK].reshape(n, _BLOCK).astype(np.float64) ** 2).mean(1)
        self._levels.append((10 * np.log10(power + 1e-12)).astype(np.float32))
        self._rest = joined[n * _BLOCK :].copy()

    @property
    def level_db(self) -> F32:
        """(B,) dB of full scale; an unfinished block at the end does not count."""
        return np.concatenate(self._levels) if self._levels else np.zeros(0, np.float32)

    @property
    def silence_share(self) -> float:
        """Share of blocks that lie `_SILENCE_DB` below the loud ones; 1.0 for a silent track."""
        level = self.level_db
        if not len(level):
            return 1.0
        loud = np.quantile(level, 0.95)
        return 1.0 if loud < -70 else float((level < loud - _SILENCE_DB).mean())


def write_sound(path: Path, blocks: Iterator[F32]) -> Loudness:
    """Mono 16-bit WAV at 16 kHz, atomically, and how loud it is. OutputError when it cannot be written."""
    loudness = Loudness()
    with atomic_file(path) as temporary, wave.open(str(temporary), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(SAMPLE_RATE)
        for block in blocks:
            loudness.add(block)
            stream.writeframes(np.round(np.clip(block, -1.0, 1.0) * 32767).astype("<i2").tobytes())
    return loudness
