"""What LipMatch can tell, beside the estimator without weights: its card, and prepared footage of real people.

    python benchmarks/lipmatch.py anchor.subject vlog.subject --json benchmarks/results/lipmatch.json

Footage is cut into stretches of five seconds; the sound of each is moved by known shifts. Nothing is trained here.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.cli.results import command_line, markdown, result, table
from lipwright.core.clock import sample_of
from lipwright.core.files import write_json
from lipwright.lipmatch.card import AWAY, LENGTHS, SHIFTS, late, measure
from lipwright.lipmatch.clips import TalkingMouth, good_stretches, part_of
from lipwright.metrics.lipmatch import WEIGHTS, load_lipmatch
from lipwright.subject.store import Subject
from lipwright.subject.sync import estimate_offset

FRAME_MS = 40


@dataclass(frozen=True)
class Person:
    """Stretches of one subject, and what the estimator without weights says of them."""

    name: str
    clips: list[TalkingMouth]
    plain_ms: list[float]
    """Its offset less the planted shift, for every stretch and shift."""
    plain_sure: list[bool]


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("subjects", type=Path, nargs="*", help="prepared footage")
    options.add_argument("--weights", type=Path, default=WEIGHTS)
    options.add_argument("--seconds", type=float, default=5.0, help="of each stretch")
    options.add_argument("--json", type=Path, default=Path("runs/lipmatch.json"))
    return options


def main() -> None:
    options = parser().parse_args()
    model, card = load_lipmatch(options.weights)
    people = [person(folder, options.seconds) for folder in options.subjects]
    people = [one for one in people if one.clips]
    found = {one.name: measure(model, one.clips) for one in people}
    columns = {"rendered, held out": card["measured"]}
    if people:
        columns["real people"] = measure(model, [clip for one in people for clip in one.clips])
    tables = [two_way_table(columns), offset_table(columns, people)]
    if people:
        tables.append(people_table(people, found))
    shown = result(command_line("benchmarks/lipmatch.py", sys.argv[1:]), tables, data={"card": card, "people": found})
    write_json(options.json, shown)
    print(markdown(shown))


def person(folder: Path, seconds: float) -> Person:
    """All good stretches of a subject."""
    subject = Subject.open(folder)
    clips, plain, sure = [], [], []
    for first, end in good_stretches(subject.track, round(seconds * subject.fps)):
        clips.append(part_of(subject, first, end))
        sound = subject.samples[sample_of(first, subject.fps) : sample_of(end, subject.fps)]
        points = subject.track.landmarks_px[first:end]
        for by in SHIFTS:
            estimate = estimate_offset(points, late(sound, by) if by else sound, subject.fps)
            plain.append(1000 * estimate.offset_s - FRAME_MS * by)
            sure.append(estimate.sure)
    return Person(folder.name.partition(".")[0], clips, plain, sure)


def two_way_table(columns: dict[str, Any]) -> dict[str, Any]:
    """Which of two sounds, in sync and k frames away, fits the lips better."""
    rows = [
        [name, f"{(n + 4) / 25:.1f}", *(found["two_way"][str(n)][str(k)] for k in AWAY)]
        for name, found in columns.items()
        for n in LENGTHS
    ]
    title = "In sync or k frames (40 ms) early or late: how often the right one fits better (chance 0.5)"
    return table(title, ("faces and voices", "length, s", *(f"k = {k}" for k in AWAY)), rows)


def offset_table(columns: dict[str, Any], people: list[Person]) -> dict[str, Any]:
    """Known shifts of -10 to 10 frames, told from one stretch."""
    rows = []
    for name, found in columns.items():
        error = found["offset_error_frames"]
        own = [error[key] for key in ("median", "within_1", "within_2")]
        rows.append([f"LipMatch, {name}", found["clips"], *own, found["confidence"], found["foreign_confidence"]])
    if people:
        size = np.abs([ms / FRAME_MS for one in people for ms in one.plain_ms])
        plain = [float(np.median(size)), float(np.mean(size <= 1)), float(np.mean(size <= 2))]
        rows.append(["lips and loudness (no weights), real people", rows[-1][1], *plain, None, None])
    columns_ = (
        "told by",
        "stretches",
        "median error, frames",
        "within 1",
        "within 2",
        "confidence",
        "of another's voice",
    )
    return table("Offset of one stretch, its sound moved by known shifts", columns_, rows)


def people_table(people: list[Person], found: dict[str, Any]) -> dict[str, Any]:
    """Person by person."""
    rows = []
    for one in people:
        scores = found[one.name]
        plain = np.asarray(one.plain_ms)
        share = float(np.mean(np.abs(plain) <= FRAME_MS))
        rows.append(
            [
                one.name,
                len(one.clips),
                FRAME_MS * float(np.median(scores["offsets_frames"])),
                float(np.median(plain)),
                scores["offset_error_frames"]["within_1"],
                share,
                scores["confidence"],
            ]
        )
    columns = (
        *("clip", "stretches", "LipMatch offset, ms", "lips and loudness, ms"),
        *("LipMatch within 1 frame", "lips and loudness within 1 frame", "LipMatch confidence"),
    )
    return table("Person by person", columns, rows)


if __name__ == "__main__":
    main()
