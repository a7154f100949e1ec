"""The two protocols every recipe must show, on footage held out from training.

`self`: held-out audio over its own template frames; the real frames are the truth. It flatters: pose and
cheeks of the template belong to the very words that are spoken.
`cross`: audio of one stretch over the pictures of another, which is what users do. No real frames exist, so
the truth is the face of the audio's own stretch, seen from another angle (`evaluate.cross` says how they
are made comparable).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from lipwright.core.contracts import F32
from lipwright.core.errors import FootageError
from lipwright.evaluate.cross import Cross, compare_cross
from lipwright.evaluate.pairing import video_of
from lipwright.evaluate.result import Evaluation, Row
from lipwright.evaluate.source import Clip, MakeTracker, Scan, scan
from lipwright.evaluate.speed import machine_facts
from lipwright.evaluate.video import evaluate

Stretch = tuple[Fraction | float, Fraction | float]
"""(start, end) in seconds of the footage."""


class Speak(Protocol):
    """What the protocols need of a persona: say these samples over that stretch of footage."""

    def __call__(
        self,
        samples: F32,
        template_path: Path,
        template_start_s: Fraction,
        template_end_s: Fraction,
        out_path: Path,
    ) -> None:
        """Write a video of the speech, exactly as long as it, whose template frame t is that of the stretch.

        `samples` are mono 16 kHz.
        """


def run_self(
    speak: Speak,
    footage: str | os.PathLike[str],
    start_s: Fraction | float,
    end_s: Fraction | float,
    out: str | os.PathLike[str] | None = None,
    *,
    make_tracker: MakeTracker | None = None,
    protocol: str = "self",
    film: bool = False,
) -> Evaluation:
    """Speak the stretch's own audio over its own pictures and compare with the real frames.

    `out` keeps the video, `film` adds one to the page. FootageError when the stretch has no sound or no face.
    `protocol` is the name written into the result ('truth' when the speaker replays true landmarks).
    """
    clip = _clip(footage, (start_s, end_s))
    samples = _sound(clip)
    with _output(out) as path:
        speak(samples, clip.path, clip.start_s, _end(clip), path)
        return _with_speed(evaluate(path, clip, make_tracker=make_tracker, protocol=protocol, film=film), speak)


def run_cross(
    speak: Speak,
    footage: str | os.PathLike[str],
    audio: Stretch = (57, 64),
    picture: Stretch = (0, 7),
    out: str | os.PathLike[str] | None = None,
    *,
    make_tracker: MakeTracker | None = None,
    film: bool = False,
) -> Evaluation:
    """Speak the audio of one stretch over the pictures of another and compare with the audio's own face.

    Both stretches must be equally long, so that every output frame has a template frame of its own.
    """
    source, template = _clip(footage, audio), _clip(footage, picture)
    if abs((_end(source) - source.start_s) - (_end(template) - template.start_s)) > Fraction(1, 50):
        raise FootageError(
            f"audio {source.name} and picture {template.name} differ in length; give stretches of one length"
        )
    samples = _sound(source)
    with _output(out) as path:
        speak(samples, template.path, template.start_s, _end(template), path)
        wanted = getattr(speak, "wanted", None)
        return _with_speed(judge_cross(Clip(path), source, template, make_tracker, film, wanted), speak)


def judge_cross(
    made: Clip,
    source: Clip,
    template: Clip,
    make_tracker: MakeTracker | None = None,
    film: bool = False,
    wanted_px: F32 | None = None,
) -> Evaluation:
    """Compare a result that exists already with the real face that spoke its sound and the template it wears.

    `wanted_px`: (T, 29, 2) mouth and jaw that the renderer was asked for, px of the template; shown in the facial
    map. Without it the map shows the result's own, tracked. FootageError when the three differ in length.
    """
    info = video_of(template)
    size = (info.width, info.height)
    scans = [scan(c, info.fps, size, make_tracker) for c in (made, source, template)]
    return compare_cross(Cross(*_cut(scans)), film, wanted_px)


def _with_speed(evaluation: Evaluation, speak: Speak) -> Evaluation:
    """With rows of how fast the speaker was, when it tells."""
    speed: list[Row] = getattr(speak, "speed", [])
    if not speed:
        return evaluation
    facts = evaluation.protocol | machine_facts()
    return replace(evaluation, rows=(*evaluation.rows, *speed), protocol=facts)


def _cut(scans: list[Scan]) -> list[Scan]:
    n = min(len(s) for s in scans)
    if max(len(s) for s in scans) - n > 2:
        lengths = ", ".join(f"{s.clip.name}: {len(s)}" for s in scans)
        raise FootageError(f"result, sound source and template must be equally long; frames: {lengths}")
    return [s.part(0, n) for s in scans]


def _clip(footage: str | os.PathLike[str], stretch: Stretch) -> Clip:
    start, end = (Fraction(t).limit_denominator(90_000) for t in stretch)
    if not 0 <= start < end:
        raise FootageError(f"{footage}: the stretch {float(start):g}-{float(end):g} s is empty; give start < end")
    return Clip(Path(footage), start, end)


def _end(clip: Clip) -> Fraction:
    if clip.end_s is None:
        raise FootageError(f"{clip.name}: a stretch needs an end")
    return clip.end_s


def _sound(clip: Clip) -> F32:
    samples = clip.samples()
    if not len(samples):
        raise FootageError(f"{clip.name} has no sound; a protocol needs footage with speech")
    return samples


@contextmanager
def _output(out: str | os.PathLike[str] | None) -> Iterator[Path]:
    """The path to write to: the caller's, or one in a folder that vanishes afterwards."""
    if out is not None:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "result.mp4"
