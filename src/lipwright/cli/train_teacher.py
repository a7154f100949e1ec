"""`lipwright train-teacher [SUBJECT/ ...] -o FILE`: a lip-sync teacher of Wav2Lip's kind, of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_json
from lipwright.core.bars import Bars


def command(
    subjects: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders made by `lipwright prepare`; the last one is held out.  [default: rendered]"),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")] = Path("teacher.safetensors"),
    rendered: Annotated[
        int | None,
        typer.Option(min=0, help="Identities to render and learn from.  [default: 24 without subjects, 0 with]"),
    ] = None,
    held_out: Annotated[int, typer.Option(min=1, help="Rendered identities that are only scored.")] = 4,
    seconds: Annotated[float, typer.Option(min=1, max=60, help="Seconds of each rendered identity.")] = 8.0,
    divide: Annotated[int, typer.Option(help="How much narrower than Wav2Lip: 1, 2, 4 or 8.")] = 4,
    budget: Annotated[str, typer.Option(help="Time to spend on training: 20m, 8h, or '400 steps' of each.")] = "2h",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of every random draw.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train Wav2Lip's sync expert and generator on footage of yours, or on rendered people."""
    work = out.parent / f".{out.name}.training"
    with kept(lambda: f"what was done is kept in {work}; run the same command with --resume"), Bars() as bars:
        from lipwright.core.device import torch_device
        from lipwright.core.errors import ConfigError
        from lipwright.core.files import make_folder
        from lipwright.core.wav2lip_layout import WIDTHS
        from lipwright.face.ict import load_ict
        from lipwright.presenter.faces import RenderedFaces, rendered_faces
        from lipwright.recipes.teacher.footage import talking_faces
        from lipwright.render.teacher.data import TalkingFace
        from lipwright.render.teacher.task import TeacherConfig
        from lipwright.subject.store import Subject
        from lipwright.train.loop import Budget
        from lipwright.train.run import Run
        from lipwright.train.teacher import fit_teacher

        limit, people = Budget.parse(budget), subjects or []
        if divide not in WIDTHS:
            raise ConfigError(f"--divide {divide} is none of {', '.join(map(str, WIDTHS))}; 4 suits a CPU")
        count = (0 if people else RenderedFaces.identities) if rendered is None else rendered
        if not count and len(people) < 2:
            raise ConfigError("one subject leaves nobody to score by; give two or more, or --rendered 24")
        opened = [Subject.open(folder) for folder in people]
        run = Run(make_folder(work), seed, torch_device(device), resume, bars)
        by_person = [talking_faces(subject, bars) for subject in opened]
        clips: list[TalkingFace] = []
        judged: list[TalkingFace] = []
        if count:
            clips, judged = rendered_faces(load_ict(), RenderedFaces(count, held_out, seconds), work / "faces", bars)
        elif by_person:
            judged = by_person.pop()
        clips += [clip for person in by_person for clip in person]
        fitted = fit_teacher(clips, judged, TeacherConfig(divide=divide), limit, run)
        trained_on = f"{count} rendered identities, {len(by_person)} subjects; held out: " + (
            f"{held_out} rendered identities" if count else "one subject"
        )
        fitted.save(out, trained_on)
    shutil.rmtree(work, ignore_errors=True)
    measured = {name: record.validation for name, record in fitted.records.items()}
    if json:
        print_json({"teacher": out, "trained_on": trained_on, "held_out": measured})
        return
    print(f"Teacher: {out} ({trained_on})")
    for name, scores in measured.items():
        print(f"{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in scores.items()))
