"""How well the audio-video offset is told: tables for any clips.

    python benchmarks/sync.py                                 # the bundled presenter, which is in sync
    python benchmarks/sync.py footage/*.mp4 --late flags_woman_8s=120 --json sync.json

Each clip's sound is moved by -320 to +320 ms in steps of 40 ms; what is found is compared with what was found
before moving plus the move. Leave one out: the lead of lips over sound that fits all other clips, and what is
left of this clip's offset with it; the truth is 0, or what --late says. Windows: stretches of random place
and move. Foreign sound: that of the other clips, the clip's own played backwards, noise and notes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lipwright
from lipwright.cli.results import command_line, markdown, result, table
from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import FaceTrack
from lipwright.core.files import write_json
from lipwright.face.track import TrackBuilder
from lipwright.face.tracker import TRACKERS
from lipwright.media.audio import read_audio
from lipwright.media.video import VideoReader
from lipwright.subject.drift import offset_trend
from lipwright.subject.sync import LEAD_S, SURE, OffsetEstimate, estimate_offset, offset_over_time

PRESENTER = Path(lipwright.__file__).parent / "assets" / "presenter.mp4"
SHIFTS_MS = range(-320, 321, 40)
WINDOWS_S = (3, 6, 10, 20)
WINDOWS = 40
BINS = (0.0, 0.5, 0.8, 0.9, SURE, 0.99, 0.999, 1.01)
F32 = NDArray[np.float32]


@dataclass(frozen=True)
class Clip:
    """A tracked clip."""

    name: str
    track: FaceTrack
    samples: F32
    fps: Fraction
    late_ms: float = 0.0
    """What is known of it."""

    @property
    def seconds(self) -> float:
        """Length of the pictures."""
        return float(len(self.track) / self.fps)

    def estimate(self, samples: F32, first: int = 0, end: int | None = None) -> OffsetEstimate:
        """Offset of frames [first, end) and the sound given, which begins with frame `first`."""
        part = self.track[first:end]
        return estimate_offset(part.landmarks_px, samples, self.fps, good=part.good)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("footage", type=Path, nargs="*", default=[PRESENTER], help="clips, or folders of clips")
    options.add_argument("--late", nargs="*", default=[], metavar="NAME=MS", help="clips known to be late")
    options.add_argument("--json", type=Path, default=Path("runs/sync.json"))
    return options


def main() -> None:
    options = parser().parse_args()
    late = {name: float(value) for name, _, value in (given.partition("=") for given in options.late)}
    clips = [read(file, late.get(file.stem, 0.0)) for file in files(options.footage)]
    random = np.random.default_rng(0)
    rows = {"shifts": [shifts(c) for c in clips], "windows": [w for c in clips for w in windows(c, random)]}
    rows["foreign"] = [w for c in clips for w in foreign(c, clips, random)]
    rows["leave_one_out"] = leave_one_out(clips, [row["own_ms"] for row in rows["shifts"]])
    tables = [
        shift_table(rows["shifts"]),
        left_out_table(rows),
        confidence_table(rows["windows"]),
        sure_table(rows),
    ]
    shown = result(command_line("benchmarks/sync.py", sys.argv[1:]), tables, data=rows)
    write_json(options.json, shown)
    print(markdown(shown))


def files(given: Sequence[Path]) -> list[Path]:
    """The clips named, and those in the folders named."""
    kinds = (".mp4", ".mov", ".mkv", ".webm", ".avi")
    return [f for p in given for f in (sorted(q for q in p.iterdir() if q.suffix in kinds) if p.is_dir() else [p])]


def read(file: Path, late_ms: float) -> Clip:
    """Track a clip at its own rate."""
    tracker = TRACKERS.get("mediapipe")(max_faces=1)
    with VideoReader(file) as reader:
        builder = TrackBuilder(reader.size)
        for frame in reader:
            builder.add(tracker.detect(frame.rgb8))
        return Clip(file.stem, builder.finish()[0], read_audio(file), reader.fps, late_ms)


def moved(samples: F32, by_ms: float) -> F32:
    """The sound later by so much (earlier when negative), as long as before."""
    k = round(by_ms * SAMPLE_RATE / 1000)
    return np.pad(samples, (k, 0))[: len(samples)] if k >= 0 else np.pad(samples[-k:], (0, -k))


def shifts(clip: Clip) -> dict[str, Any]:
    """Own offset, and the error at each shift."""
    own = clip.estimate(clip.samples)
    found = [clip.estimate(moved(clip.samples, by)) for by in SHIFTS_MS]
    errors = [1000 * (e.offset_s - own.offset_s) - by for e, by in zip(found, SHIFTS_MS, strict=True)]
    trend = offset_trend(offset_over_time(clip.track.landmarks_px, clip.samples, clip.fps, good=clip.track.good))
    return {
        "clip": clip.name,
        "seconds": clip.seconds,
        "fps": float(clip.fps),
        "own_ms": 1000 * own.offset_s,
        "confidence": own.confidence,
        "agreement": own.agreement,
        "errors_ms": errors,
        "sure": [e.sure for e in found],
        "trend": {"says": str(trend), **asdict(trend)},
    }


def leave_one_out(clips: Sequence[Clip], own_ms: Sequence[float]) -> list[dict[str, Any]]:
    """Per clip: the lead that fits all others (median), and the error with it."""
    rows = []
    rest = np.array([own - clip.late_ms for own, clip in zip(own_ms, clips, strict=True)])
    for i, clip in enumerate(clips):
        others = np.delete(rest, i)
        correction = float(np.median(others)) if len(others) else 0.0
        rows.append(
            {
                "clip": clip.name,
                "truth_ms": clip.late_ms,
                "own_ms": own_ms[i],
                "lead_ms": 1000 * LEAD_S + correction,
                "error_ms": rest[i] - correction,
            }
        )
    return rows


def windows(clip: Clip, random: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Stretches of random place, their sound moved by a random one of the shifts."""
    own = clip.estimate(clip.samples).offset_s
    for seconds in WINDOWS_S:
        n = int(seconds * clip.fps)
        for _ in range(min(WINDOWS, int((clip.seconds - seconds) * 4))):
            first = int(random.integers(0, len(clip.track) - n + 1))
            by = int(random.choice(SHIFTS_MS))
            start = int(first / clip.fps * SAMPLE_RATE)
            sound = moved(clip.samples, by)[start : start + seconds * SAMPLE_RATE]
            found = clip.estimate(sound, first, first + n)
            error = 1000 * (found.offset_s - own) - by
            yield {"clip": clip.name, "seconds": seconds, "error_ms": error, **_said(found)}


def foreign(clip: Clip, clips: Sequence[Clip], random: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Sound that does not belong to the picture: whatever is sure here is a false alarm."""
    sounds = [("another's", c.samples) for c in clips if c is not clip]
    sounds += [("backwards", clip.samples[::-1])] * 4
    for _ in range(4):
        sounds += [("noise", noise(len(clip.samples), random)), ("notes", notes(len(clip.samples), random))]
    for kind, sound in sounds:
        for seconds in WINDOWS_S:
            n, k = int(seconds * clip.fps), seconds * SAMPLE_RATE
            if n > len(clip.track) or k > len(sound):
                continue
            for _ in range(3):
                first = int(random.integers(0, len(clip.track) - n + 1))
                start = int(random.integers(0, len(sound) - k + 1))
                found = clip.estimate(sound[start : start + k], first, first + n)
                yield {"clip": clip.name, "kind": kind, "seconds": seconds, **_said(found)}


def _said(estimate: OffsetEstimate) -> dict[str, Any]:
    return {"confidence": estimate.confidence, "sure": estimate.sure}


def noise(n: int, random: np.random.Generator) -> F32:
    """Noise whose loudness changes eight times a second, as speech does."""
    steps = np.exp(random.normal(size=n // 2000 + 2))
    return (0.05 * random.normal(size=n) * np.interp(np.arange(n) / 2000, np.arange(len(steps)), steps)).astype("f4")


def notes(n: int, random: np.random.Generator) -> F32:
    """Plucked three-note chords on a steady beat."""
    beat = int(random.uniform(0.25, 0.6) * SAMPLE_RATE)
    t = np.arange(beat) / SAMPLE_RATE
    chords = []
    for _ in range(n // beat + 1):
        tones = [2 ** (k / 12) * 262 for k in random.choice(25, 3)]
        wave = sum(np.sin(2 * np.pi * f * h * t) / h for f in tones for h in (1, 2, 3, 4))
        chords.append(0.1 * wave * np.exp(-t * random.uniform(2, 8)))
    return np.concatenate(chords)[:n].astype("f4")


def shift_table(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How far known shifts are missed, per clip."""
    columns = ("clip", "s", "fps", "own offset, ms", "confidence", "worst error, ms", "sure of", "over time")
    lines = []
    for r in rows:
        worst, sure = max(map(abs, r["errors_ms"])), f"{sum(r['sure'])} of {len(r['sure'])}"
        own = (round(r["own_ms"]), r["confidence"])
        lines.append((r["clip"], round(r["seconds"]), r["fps"], *own, worst, sure, r["trend"]["says"]))
    return table(f"Sound moved by {SHIFTS_MS[0]} to +{SHIFTS_MS[-1]} ms in steps of {SHIFTS_MS.step}", columns, lines)


def left_out_table(rows: dict[str, Any]) -> dict[str, Any]:
    """The lead fitted on the others and what it leaves."""
    columns = ("clip", "known, ms", "found, ms", "lead fitted on the others, ms", "error with it, ms")
    lines = [
        (r["clip"], *(round(r[key]) for key in ("truth_ms", "own_ms", "lead_ms", "error_ms")))
        for r in rows["leave_one_out"]
    ]
    return table(f"Leave one out (the estimator's lead is {1000 * LEAD_S:.0f} ms)", columns, lines)


def confidence_table(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Confidence of windows against how often they are right."""
    lines = []
    for low, high in pairwise(BINS):
        errors = np.abs([r["error_ms"] for r in rows if low <= r["confidence"] < high])
        if len(errors):
            shares = [f"{100 * np.mean(errors <= limit):.0f} %" for limit in (40, 60)]
            lines.append((f"{low:g} to {min(high, 1):g}", len(errors), *shares))
    return table("Random windows by confidence", ("confidence", "windows", "within 40 ms", "within 60 ms"), lines)


def sure_table(rows: dict[str, Any]) -> dict[str, Any]:
    """How often windows are sure, how often they are wrong then, and how often foreign sound is sure."""
    kinds = sorted({r["kind"] for r in rows["foreign"]})
    lines = []
    for seconds in (*WINDOWS_S, None):
        own = [r for r in rows["windows"] if seconds in (None, r["seconds"])]
        sure = [r for r in own if r["sure"]]
        cells = [_share([r["sure"] for r in own]), _share([abs(r["error_ms"]) > 60 for r in sure])]
        for kind in kinds:
            alarms = [r["sure"] for r in rows["foreign"] if r["kind"] == kind and seconds in (None, r["seconds"])]
            cells.append(_share(alarms, counted=True))
        lines.append(("all" if seconds is None else f"{seconds} s", len(own), *cells))
    columns = ("window", "windows", "sure", "wrong by > 60 ms when sure", *(f"sure of {k}" for k in kinds))
    return table("Sure or not", columns, lines)


def _share(hits: Sequence[bool], counted: bool = False) -> str:
    if not hits:
        return "-"
    return f"{100 * np.mean(hits):.1f} %" + (f" of {len(hits)}" if counted else "")


if __name__ == "__main__":
    main()
