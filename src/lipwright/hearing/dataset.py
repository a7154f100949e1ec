"""Speech of all speakers with exact phones, made once and kept in a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.core.files import atomic_file
from lipwright.core.progress import Progress, Silent, track
from lipwright.hearing.speakers import Speaker, speech_of
from lipwright.speech.articulation import PHONES, STEP_S
from lipwright.speech.exact import PhoneTime, label_of

_COLUMN = {phone: column for column, phone in enumerate(PHONES)}


@dataclass(frozen=True)
class Spoken:
    """What one speaker says."""

    speaker: Speaker
    samples: F32
    """(S,) 16 kHz."""
    labels: NDArray[np.uint8]
    """Columns of `PHONES`."""
    edges_s: F32
    """(P + 1,) where phones begin, and where the last ends."""

    def pieces(self, seconds: float) -> list[Spoken]:
        """Stretches of so long, the last one longer."""
        size = round(seconds * SAMPLE_RATE)
        starts = list(range(0, max(len(self.samples) - size, 0) + 1, size))
        found = []
        for start, stop in zip(starts, [*starts[1:], len(self.samples)], strict=True):
            a, b = start / SAMPLE_RATE, stop / SAMPLE_RATE
            first = max(int(np.searchsorted(self.edges_s, a, side="right")) - 1, 0)
            last = int(np.searchsorted(self.edges_s, b, side="left"))
            edges = np.clip(self.edges_s[first : last + 1], a, b) - np.float32(a)
            found.append(Spoken(self.speaker, self.samples[start:stop], self.labels[first:last], edges))
        return found

    def steps(self, n_steps: int) -> NDArray[np.uint8]:
        """(n_steps,) the phone in the middle of every 10 ms."""
        return labels_at(self.labels, self.edges_s, n_steps)


def labels_at(labels: NDArray[np.uint8], edges_s: F32, n_steps: int) -> NDArray[np.uint8]:
    """(n_steps,) column of the phone in the middle of every 10 ms; silence after the last."""
    held = np.append(labels, np.uint8(0))
    place = np.searchsorted(edges_s, (np.arange(n_steps) + 0.5) * STEP_S, side="right") - 1
    return held[np.clip(place, 0, len(labels))]


def columns_of(phones: Sequence[PhoneTime]) -> tuple[NDArray[np.uint8], F32]:
    """(columns of `PHONES`, (P + 1,) edges in seconds) of phones in order; gaps become silence."""
    labels, edges = [], [0.0]
    for phone in phones:
        if phone.start_s > edges[-1] + 1e-6:
            labels.append(0)
            edges.append(phone.start_s)
        if phone.end_s > edges[-1]:
            labels.append(_COLUMN[label_of(phone.symbol)])
            edges.append(phone.end_s)
    return np.array(labels, np.uint8), np.array(edges, np.float32)


def spoken(speaker: Speaker, seconds: float, folder: Path) -> Spoken:
    """At least `seconds` of a speaker, from the folder where it has them."""
    file = folder / f"{speaker.name}-{seconds:g}s.npz"
    if not file.is_file():
        seed = int.from_bytes(hashlib.sha256(speaker.name.encode()).digest()[:4], "little")
        speech = speech_of(speaker, seconds, np.random.default_rng(seed))
        assert speech.phones is not None
        labels, edges = columns_of(speech.phones)
        with atomic_file(file) as temporary:
            pcm = np.round(np.clip(speech.samples, -1, 1) * 32767).astype(np.int16)
            np.savez(temporary, pcm=pcm, labels=labels, edges=edges)
    with np.load(file, allow_pickle=False) as held:
        return Spoken(speaker, held["pcm"].astype(np.float32) / 32768, held["labels"], held["edges"])


def all_spoken(
    speakers: Sequence[Speaker], seconds: float, folder: Path, progress: Progress | None = None
) -> list[Spoken]:
    """`spoken` of every speaker."""
    folder.mkdir(parents=True, exist_ok=True)
    return [spoken(s, seconds, folder) for s in track(speakers, progress or Silent(), "voices", len(speakers))]


def duration_s(clips: Sequence[Spoken]) -> float:
    """Seconds of all."""
    return sum(len(clip.samples) for clip in clips) / SAMPLE_RATE
