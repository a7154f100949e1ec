"""The renderers' quality table: `lipwright bench render SUBJECT... --ablations`.

Every row is written as soon as it is finished, so a table that was stopped goes on where it was; a row that was
not run says so.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.cli.output import print_table, write_json
from lipwright.core.errors import ConfigError
from lipwright.core.files import atomic_file, make_folder

if TYPE_CHECKING:
    from lipwright.core.contracts import U8
    from lipwright.core.progress import Progress
    from lipwright.recipes.ablation import Made, Table
    from lipwright.subject.store import Subject

COLUMNS = ("mouth_psnr_db", "mouth_ssim", "mouth_sharpness", "mouth_jitter", "full_ssim")


def table(subjects: Sequence[Path], asked: Table, device: str, file: Path, progress: Progress) -> dict[str, Any]:
    """Run what is missing in `file` and return all of it; ConfigError when it was made with other settings."""
    from lipwright.cli.machine import machine
    from lipwright.recipes.ablation import ablate, work_folder
    from lipwright.subject.store import Subject
    from lipwright.train.run import Run

    here = machine()
    found = _opened(file, _settings(asked, device))
    for subject in (Subject.open(path) for path in subjects):
        rows = _rows_of(found, subject, file)
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


def _opened(file: Path, settings: dict[str, Any]) -> dict[str, Any]:
    if not file.is_file():
        return {**settings, "subjects": {}}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        different = [key for key, value in settings.items() if found[key] != value]
        found["subjects"].values()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{file} is not a table of `bench render --ablations`; choose another file") from error
    if different:
        raise ConfigError(
            f"{file} was made with another {different[0]} ({found[different[0]]}, asked {settings[different[0]]}); "
            "choose another file"
        )
    return dict(found)


def _rows_of(found: dict[str, Any], subject: Subject, file: Path) -> dict[str, Any]:
    source = subject.info["source"]["sha256"]
    entry = found["subjects"].setdefault(subject.path.name, {"source": source, "rows": {}})
    if entry["source"] != source:
        raise ConfigError(f"{file} holds rows of another subject named {subject.path.name}; choose another file")
    from lipwright.recipes.ablation import ROWS

    rows: dict[str, Any] = entry["rows"]
    for row in ROWS:
        rows.setdefault(row.name, {"status": "not run"})
    return rows


def _pictures(file: Path, subject: Subject, made: Made) -> None:
    """A contact sheet and a strip of mouths to look at, in a folder beside the table."""
    folder = file.with_suffix(".pictures") / subject.path.name
    make_folder(folder)
    for kind, picture in (("sheet", made.result.sheet), ("strip", made.result.strip)):
        _write(folder / f"{made.row.file}-{kind}.png", picture)


def _write(path: Path, rgb8: U8) -> None:
    import cv2

    with atomic_file(path) as temporary:
        cv2.imwrite(str(temporary), cv2.cvtColor(rgb8, cv2.COLOR_RGB2BGR))
