"""`lipwright prepare FOOTAGE -o SUBJECT/`: footage to subject, with a report and advice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lipwright.cli.interrupt import kept
from lipwright.cli.output import facts, print_json, print_table
from lipwright.cli.progress import Bars
from lipwright.cli.values import rate, sibling, stretch


def command(
    footage: Annotated[Path, typer.Argument(help="Video of one person speaking.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Subject folder.  [default: FOOTAGE.subject]")] = None,
    face: Annotated[int | None, typer.Option(min=0, help="Which face, when there are several (0 = first).")] = None,
    fps: Annotated[str | None, typer.Option(help="Working frame rate.  [default: 25]")] = None,
    trim: Annotated[str | None, typer.Option(help="Use only this stretch: 0-57 or 0:10-1:07.")] = None,
    keep_offset: Annotated[
        bool, typer.Option("--keep-offset", help="Do not correct the audio-video offset of the footage.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Turn footage into a subject: track the face, read the voice, report on both, advise."""
    folder = out or sibling(footage, ".subject")
    span, working_rate = stretch(trim, "--trim"), rate(fps, "--fps")
    what = f"what was prepared so far is kept in {folder}; run the same command again to continue"
    with kept(what), Bars() as bars:
        from lipwright.subject.prepare import prepare

        subject = prepare(
            footage,
            folder,
            face=face,
            fps=working_rate,
            correct_offset=not keep_offset,
            trim=span,
            progress=bars,
        )
    if json:
        print_json({"subject": folder, "report": subject.report, "advice": subject.advice})
    else:
        show(subject, folder)


def show(subject: Any, folder: Path) -> None:
    """The footage report in words."""
    print_table("Footage report", ("", ""), facts(subject.report))
    for line in subject.advice:
        print(f"- {line}")
    print(f"Subject: {folder}")
    print(f"Next: lipwright train {folder}")
