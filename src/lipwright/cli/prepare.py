"""`lipwright prepare FOOTAGE -o SUBJECT/`: footage to subject, with a report and advice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lipwright.cli.interrupt import kept
from lipwright.cli.output import facts, print_json, print_table
from lipwright.cli.values import rate, sibling, stretch
from lipwright.core.bars import Bars
from lipwright.core.errors import ConfigError

Box = tuple[float, float, float, float]
_BESIDES = ("unusable", "persons", "no_face_frames", "shot_starts_s")
"""Lists of the report that are told in words, or only in report.json."""


def command(
    footage: Annotated[Path, typer.Argument(help="Video of one person speaking.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Subject folder.  [default: FOOTAGE.subject]")] = None,
    face: Annotated[
        int | None, typer.Option(min=0, help="Which person, when there are several (0 = largest and steadiest).")
    ] = None,
    box: Annotated[
        str | None, typer.Option(help="Follow the face first seen in this box: X,Y,WIDTH,HEIGHT in pixels.")
    ] = None,
    faces: Annotated[
        Path | None, typer.Option(help="Draw everybody with their numbers into this .png, and stop.")
    ] = None,
    audio_track: Annotated[int | None, typer.Option(min=0, help="Which sound track (0 = first).")] = None,
    fps: Annotated[str | None, typer.Option(help="Working frame rate.  [default: the footage's own]")] = None,
    trim: Annotated[str | None, typer.Option(help="Use only this stretch: 0-57 or 0:10-1:07.")] = None,
    keep_offset: Annotated[
        bool, typer.Option("--keep-offset", help="Do not correct the audio-video offset of the footage.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Turn footage into a subject: track the face, read the voice, report on both, advise."""
    folder = out or sibling(footage, ".subject")
    span, working_rate = stretch(trim, "--trim"), rate(fps, "--fps")
    place = place_of(box)
    if place and face is not None:
        raise ConfigError("--face and --box choose a person in two ways; give one of them")
    if faces and faces.suffix.lower() != ".png":
        raise ConfigError(f"--faces {faces} is not a .png file; name it for example faces.png")
    what = f"what was prepared so far is kept in {folder}; run the same command again to continue"
    with kept(what), Bars() as bars:
        if faces:
            from lipwright.subject.prepare import persons_sheet

            found = persons_sheet(footage, folder, faces, fps=working_rate, trim=span, progress=bars)
        else:
            from lipwright.subject.prepare import prepare

            subject = prepare(
                footage,
                folder,
                face=face,
                box=place,
                fps=working_rate,
                correct_offset=not keep_offset,
                audio_track=audio_track,
                trim=span,
                progress=bars,
            )
    if faces:
        show_faces(found, faces, footage, folder, json)
    elif json:
        print_json({"subject": folder, "report": subject.report, "advice": subject.advice})
    else:
        show(subject, folder)


def place_of(text: str | None) -> Box | None:
    """`X,Y,WIDTH,HEIGHT` in pixels as (x0, y0, x1, y1). ConfigError for anything else."""
    if text is None:
        return None
    try:
        x, y, width, height = (float(part) for part in text.split(","))
        if not (x >= 0 and y >= 0 and 0 < width < 100_000 and 0 < height < 100_000 and max(x, y) < 100_000):
            raise ValueError(text)
    except ValueError as error:
        raise ConfigError(
            f"--box {text!r} is not a box; write X,Y,WIDTH,HEIGHT in pixels, e.g. 640,120,300,380"
        ) from error
    return x, y, x + width, y + height


def show_faces(found: int, sheet: Path, footage: Path, folder: Path, json: bool) -> None:
    """How many persons there are, and how to go on."""
    if json:
        print_json({"persons": found, "faces": sheet, "subject": folder})
        return
    print(f"{found} {'person' if found == 1 else 'persons'}: {sheet}")
    print(f"Next: lipwright prepare {footage} -o {folder} --face N")


def show(subject: Any, folder: Path) -> None:
    """The footage report in words."""
    report = {name: value for name, value in subject.report.items() if name not in _BESIDES}
    print_table("Footage report", ("", ""), facts(report))
    for part in subject.report.get("unusable", ()):
        print(f"  {part['start_s']:.1f}-{part['stop_s']:.1f} s cannot be used: {part['reason']}")
    for line in subject.advice:
        print(f"- {line}")
    print(f"Subject: {folder}")
    print(f"Next: lipwright train {folder}")
