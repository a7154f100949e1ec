"""The renderers' quality table: `lipwright bench render SUBJECT... --ablations`.

Every row is written as soon as it is finished, so a table that was stopped goes on where it was; a row that was
not run says so.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.cli.bench import kept_rows
from lipwright.cli.output import print_table, write_json

if TYPE_CHECKING:
    from lipwright.core.progress import Progress
    from lipwright.recipes.ablation import Made, Table
    from lipwright.subject.store import Subject

COLUMNS = ("mouth_psnr_db", "mouth_ssim", "mouth_sharpness", "mouth_jitter", "full_ssim")


def run(subjects: Sequence[Path], asked: Table, device: str, file: Path, progress: Progress) -> dict[str, Any]:
    """Run what is missing in `file` and return all of it; ConfigError when it was made with other settings."""
    from lipwright.cli.machine import machine
    from lipwright.recipes.ablation import ROWS, ablate
    from lipwright.recipes.row import work_folder
    from lipwright.subject.store import Subject
    from lipwright.train.run import Run

    here = machine()
    found = kept_rows.opened(file, _settings(asked, device), "bench render --ablations")
    for subject in (Subject.open(path) for path in subjects):
        rows = kept_rows.of_subject(found, subject, file, [row.name for row in ROWS])
        run = Run(work_folder(file, subject), asked.seed, device, True, progress)
        busy = time.process_time()
        for made in ablate(subject, asked, run, [name for name, row in rows.items() if row["status"] == "run"]):
            spent = {"cpu_s": round(time.process_time() - busy, 1), "machine": here}
            rows[made.row.name] = {"status": "run", **made.facts, **made.result.scores, **spent}
            _pictures(file, subject, made)
            write_json(str(file), found)
            busy = time.process_time()
    return found


def show(found: dict[str, Any]) -> None:
    """One table per subject, rows that were not run among them."""
    for name, subject in found["subjects"].items():
        lines = [(row, *_cells(facts)) for row, facts in subject["rows"].items()]
        print_table(name, ("row", "PSNR", "SSIM", "sharp", "jitter", "full SSIM", "steps", "CPU s"), lines)


def _cells(row: dict[str, Any]) -> list[str]:
    if row["status"] != "run":
        return ["not run"]
    digits = (2, 3, 3, 3, 4)
    scores = [f"{row[name]:.{n}f}" for name, n in zip(COLUMNS, digits, strict=True)]
    return [*scores, str(row["steps"]), str(row["cpu_s"])]


def _settings(asked: Table, device: str) -> dict[str, Any]:
    """What must be alike for rows to stand in one table."""
    shared = {"preset": asked.preset, "steps": asked.steps, "seed": asked.seed, "changes": dict(asked.changes)}
    return {"benchmark": "render ablations", "device": device, **shared}


def _pictures(file: Path, subject: Subject, made: Made) -> None:
    """A contact sheet and a strip of mouths to look at."""
    for kind, picture in (("sheet", made.result.sheet), ("strip", made.result.strip)):
        kept_rows.write_picture(file, subject, f"{made.row.file}-{kind}", picture)
