"""Seven rendered people, three voices that nobody learnt from: the paper's seven characters, with exact truth.

    LIPWRIGHT_ICT_MODEL=ict_facekit_light.npz python benchmarks/characters.py --json characters.json
    python benchmarks/characters.py --people 2 --row ours --steps 200 --seconds 20 --size 256

Every person speaks with a voice of their own for as long as a persona learns from, is prepared, and trained by the rows
of `lipwright bench meta-talk`. Then each of three other voices speaks over the beginning of that footage, and is
compared with frames of the same person, rendered saying it over the same head motion. What is made is kept in `--work`,
so that the command goes on where it was stopped, and two of them with another `--first` can fill it side by side.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.cli.results import command_line, markdown, result, table
from lipwright.cli.transcript import read_phones
from lipwright.core.bars import Bars
from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.files import make_folder, write_json
from lipwright.core.progress import Progress
from lipwright.evaluate.speakers import PersonaSpeaker
from lipwright.evaluate.video import evaluate
from lipwright.face.ict import load_ict
from lipwright.media.audio import read_audio
from lipwright.presenter.make import Job, film, make, renderer_of
from lipwright.presenter.rig import build_rig, identity_coefficients
from lipwright.presenter.scene import perform, save_phones
from lipwright.presenter.sentences import text_lasting
from lipwright.recipes.crossmodal_bench.comparison import kept_values, persona_of
from lipwright.recipes.meta_talk_bench.rows import OURS, PAPER, ROWS, Table
from lipwright.recipes.meta_talk_bench.run import Workshop
from lipwright.recipes.row import by_name
from lipwright.recipes.teacher.speech import HELD_OUT, VOICES
from lipwright.speech.tts import synthesise
from lipwright.subject.prepare import prepare
from lipwright.subject.store import Subject
from lipwright.train.loop import Budget
from lipwright.train.run import Run

MEASURES = {
    "full.ssim_gaussian": "SSIM",
    "mouth.psnr": "mouth PSNR, dB",
    "mouth.ssim_gaussian": "mouth SSIM",
    "mouth.sharpness_ratio": "mouth sharpness to real",
    "landmarks.lmd_centred": "LMD centred, px",
    "lips.correlation": "lip aperture, correlation",
    "lips.amplitude": "lip aperture, amplitude",
    "speech.closure_rate": "closures",
    "speech.silence_ratio": "silence ratio",
    "lipmatch.confidence": "LipMatch confidence (not LSE)",
}
OWN = [voice for voice in VOICES if voice[2].startswith("en")]
"""Voices that a person may have."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--people", type=int, default=7)
    options.add_argument("--first", type=int, default=20, help="number of the first person; the presenter is 12")
    options.add_argument("--voices", type=int, default=3, choices=(1, 2, 3))
    options.add_argument("--row", action="append", default=[], help=f"of bench meta-talk ({OURS} and {PAPER})")
    options.add_argument("--seconds", type=float, default=60, help="about as long as every person is filmed")
    options.add_argument("--said", type=float, default=4, help="about as long as every other voice speaks")
    options.add_argument("--size", type=int, default=512, help="pixels of the square picture")
    options.add_argument("--preset", default="draft")
    options.add_argument("--steps", type=int, default=1000, help="of every network")
    options.add_argument("--minutes", type=float, default=2, help="of speech for the teacher")
    options.add_argument("--work", type=Path, default=Path("runs/characters"))
    options.add_argument("--json", type=Path)
    return options


def main() -> None:
    given = parser().parse_args()
    names = given.row or [OURS, PAPER]
    settings = {"pseudo_minutes": f"{given.minutes:g}"}
    asked = Table(given.preset, Budget(steps=given.steps), changes=settings, rows=by_name(names, ROWS))
    cells: list[dict[str, Any]] = []
    with Bars() as bars:
        for person in range(given.first, given.first + given.people):
            cells += measured(given, asked, person, bars)
    tables = [_table(name, [c for c in cells if c["row"] == name]) for name in names]
    found = result(command_line("benchmarks/characters.py", sys.argv[1:]), tables, data={"cells": cells})
    if given.json:
        write_json(given.json, found)
    print(markdown(found))


def measured(given: argparse.Namespace, asked: Table, person: int, progress: Progress) -> list[dict[str, Any]]:
    """The cells of one person, rows by voices."""
    folder = make_folder(given.work / f"{person}-{given.size}-{given.seconds:g}s")
    footage = folder / "footage.mp4"
    clips = list(_filmed(given, person, folder, footage, progress))
    subject = folder / "person.subject"
    prepared = Subject.open(subject) if subject.is_dir() else prepare(footage, subject, progress=progress)
    shop = Workshop(prepared, asked, Run(make_folder(folder / "training"), asked.seed, "cpu", True, progress))
    cells = []
    for row in asked.rows:
        plan, speak = asked.plan(row), None
        for voice, truth in clips:
            file = folder / f"{row.file}-{asked.preset}-{given.steps}-{voice}.json"
            if not file.is_file():
                if speak is None:
                    said, drawn = shop.speech(prepared, plan)[0], shop.renderer(prepared, plan)[0]
                    parts = {said.info.produces: said}
                    speak = PersonaSpeaker(persona_of(prepared, parts, "neural-face", drawn, "sewn"))
                samples = read_audio(truth)
                length = Fraction(len(samples), SAMPLE_RATE)
                speak(samples, footage, Fraction(0), length, file.with_suffix(".mp4"))
                phones = read_phones(truth.with_name(f"{truth.stem}_phones.json"))
                scores = evaluate(file.with_suffix(".mp4"), reference=truth, transcript=phones)
                found = kept_values(scores, {name: name for name in MEASURES})
                write_json(file, {"person": person, "voice": voice, "row": row.name, **found})
            cells.append(json.loads(file.read_text(encoding="utf-8")))
    return cells


def _filmed(
    given: argparse.Namespace, person: int, folder: Path, footage: Path, progress: Progress
) -> Iterator[tuple[str, Path]]:
    """Film what is missing: the person's own speech, and (voice, file) of the person saying what others say."""
    rng = np.random.default_rng(person)
    own = OWN[person % len(OWN)]
    text = text_lasting(rng, given.seconds)
    job = Job(text, footage, person, own[0], own[1], own[2], size=given.size, seed=person)
    model = load_ict()
    if not footage.is_file():
        make(model, job, progress)
    rig = build_rig(model, identity_coefficients(person))
    moved = perform(rig, synthesise(text, *own), seed=person, config=job.motion, size=given.size).motion
    renderer = None
    for engine, voice, language in HELD_OUT[: given.voices]:
        speech = synthesise(text_lasting(rng, given.said), engine, voice, language)
        truth = folder / f"truth-{voice}.mp4"
        if not truth.is_file():
            renderer = renderer or renderer_of(model, rig, job)
            performance = perform(rig, speech, motion=moved, size=given.size)
            save_phones(truth.with_name(f"{truth.stem}_phones.json"), performance.phones, speech.text, voice)
            film(renderer, performance, truth, job.crf, progress)
        yield voice, truth


def _table(name: str, cells: list[dict[str, Any]]) -> dict[str, Any]:
    """People by voices, and means; what nobody has a value for is left out."""
    keys = [key for key in MEASURES if any(cell[key] is not None for cell in cells)]
    lines = [[f"{cell['person']}, {cell['voice']}", *(cell[key] for key in keys)] for cell in cells]
    for title, of in (("*mean*", np.mean), ("*deviation*", np.std)):
        values = [[cell[key] for cell in cells if cell[key] is not None] for key in keys]
        lines.append([title, *(float(of(v)) for v in values)])
    real = [[c["real"][key] for c in cells if c["real"].get(key) is not None] for key in keys]
    lines.append(["*real, mean*", *(float(np.mean(v)) if v else None for v in real)])
    return table(name, ("person, voice", *(MEASURES[key] for key in keys)), lines)


if __name__ == "__main__":
    main()
