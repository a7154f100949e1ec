"""The viseme curves of a whole recording with what they were made from, and files of them."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from lipwright.core.clock import FPS, SAMPLE_RATE, n_frames
from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError
from lipwright.core.files import atomic_file, write_json
from lipwright.core.progress import Progress, Silent, track
from lipwright.speech.channels import CHANNELS
from lipwright.speech.exact import PhoneTime
from lipwright.speech.source import SampleSource
from lipwright.speech.tts import Phone
from lipwright.speech.visemes import Visemes


@dataclass(frozen=True)
class VisemeTrack:
    """Curves, phones and clock of a recording."""

    values: F32
    """(T, 34) in [0, 1], columns `CHANNELS`; frame f is the state at (f + 1/2) / fps."""
    fps: Fraction
    phones: tuple[Phone, ...]
    """What the curves were made from; silence is left out."""
    known: bool
    """Whether the phones were known, not heard by the recogniser."""


def viseme_track(
    source: SampleSource,
    n_samples: int,
    phones: Sequence[PhoneTime] | None = None,
    fps: Fraction = FPS,
    progress: Progress | None = None,
) -> VisemeTrack:
    """Curves of `n_samples` at 16 kHz, from `phones` where they are known; as many frames as cover them."""
    visemes, count = Visemes(phones, fps), n_frames(n_samples, fps)
    blocks, heard, block_s = [], list[Phone](), float(Visemes.block_frames / fps)
    indices = range(-(-count // Visemes.block_frames))
    for index in track(indices, progress or Silent(), "visemes", len(indices)):
        blocks.append(visemes.block(source, index))
        if phones is None:
            heard += _within(visemes, source, index, block_s, n_samples / SAMPLE_RATE)
    said = heard if phones is None else [Phone(p.symbol, p.start_s, p.end_s) for p in phones if p.symbol != "pau"]
    return VisemeTrack(np.concatenate(blocks)[:count], fps, tuple(said), phones is not None)


def _within(visemes: Visemes, source: SampleSource, index: int, block_s: float, length_s: float) -> list[Phone]:
    """Phones heard in a block, cut at its borders."""
    low, high = index * block_s, min((index + 1) * block_s, length_s)
    segments = [s for s in visemes.heard(source, index) if s.end_s > low and s.start_s < high]
    return [Phone(s.shares[0][0].lower(), max(s.start_s, low), min(s.end_s, high)) for s in segments]


def write_track(path: str | os.PathLike[str], found: VisemeTrack) -> None:
    """Write .csv (a row per frame), .json or .npz, by the name's ending, atomically. ConfigError for other endings."""
    path = Path(path)
    writers = {".csv": _write_csv, ".json": _write_json, ".npz": _write_npz}
    if path.suffix.lower() not in writers:
        raise ConfigError(f"{path} ends in '{path.suffix}'; name a file that ends in .csv, .json or .npz")
    writers[path.suffix.lower()](path, found)


def _write_csv(path: Path, found: VisemeTrack) -> None:
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(("time_s", *CHANNELS))
        for frame, values in enumerate(found.values):
            rows.writerow((f"{float((frame + Fraction(1, 2)) / found.fps):.6f}", *(f"{v:.4f}" for v in values)))


def _write_json(path: Path, found: VisemeTrack) -> None:
    phones = [{"phone": p.symbol, "start": round(p.start_s, 4), "end": round(p.end_s, 4)} for p in found.phones]
    values = np.round(found.values.astype(np.float64), 4).tolist()
    data = {"fps": str(found.fps), "known": found.known, "channels": CHANNELS, "phones": phones, "frames": values}
    write_json(path, data)


def _write_npz(path: Path, found: VisemeTrack) -> None:
    fps = np.array([found.fps.numerator, found.fps.denominator])
    times = np.array([[p.start_s, p.end_s] for p in found.phones]).reshape(-1, 2)
    symbols = np.array([p.symbol for p in found.phones], dtype=np.str_)
    with atomic_file(path) as temporary, temporary.open("wb") as stream:
        arrays = {"channels": np.array(CHANNELS), "fps": fps, "phones": symbols, "phone_times_s": times}
        np.savez_compressed(stream, visemes=found.values, **arrays)
