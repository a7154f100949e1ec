"""Paper B's Table 1 and the poster's comparison: `lipwright bench motion SUBJECT... --seeds 5`.

A subject is a prepared person or a set of landmark tracks. Every run (row and seed) is written as soon as it is
finished, so a table that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.cli.bench import motion_figures, motion_tables
from lipwright.cli.bench.motion_figures import corpus_of, models_folder
from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_table, write_json
from lipwright.core.bars import Bars
from lipwright.core.errors import ConfigError
from lipwright.core.files import make_folder

if TYPE_CHECKING:
    from lipwright.recipes.motion_table.corpus import Corpus
    from lipwright.recipes.motion_table.rows import Row, Training


@dataclass(frozen=True)
class Asked:
    """What a table is to hold."""

    rows: Sequence[Row]
    seeds: int
    training: Training

    def settings(self) -> dict[str, Any]:
        """What must be alike for runs to stand in one table."""
        from lipwright.core.config import to_dict

        return {"benchmark": "motion", **to_dict(self.training)}


def command(
    subjects: Sequence[Path], rows: Sequence[str] | None, seeds: int, training: Training, json_file: str | None
) -> None:
    """The verb."""
    from dataclasses import replace

    from lipwright.core.device import torch_device
    from lipwright.recipes.motion_table.rows import ROWS, chosen

    if not subjects or json_file in (None, "-"):
        raise ConfigError("bench motion needs subjects and --json FILE, which also keeps finished runs")
    asked = Asked(chosen(rows) if rows else ROWS, seeds, replace(training, device=torch_device(training.device)))
    for row in asked.rows:
        asked.training.config(row)
    file = Path(str(json_file))
    with kept(f"finished runs are in {file}; run the same command again to go on"):
        show(table(subjects, asked, file, _shown(subjects, asked, rows, file)), file)
        for picture in motion_figures.draw(subjects, file):
            print(picture)


def _shown(subjects: Sequence[Path], asked: Asked, rows: Sequence[str] | None, file: Path) -> str:
    """The command for readers."""
    t = asked.training
    words = ["lipwright", "bench", "motion", *(path.resolve().name for path in subjects), "--seeds", str(asked.seeds)]
    words += ["--epochs", str(t.epochs), "--patience", str(t.patience)]
    words += ["--width", f"{t.width:g}"] if t.width != 1 else []
    words += ["--learn-seconds", f"{t.learn_s:g}"] if t.learn_s is not None else []
    words += [word for name, value in t.changes.items() for word in ("--set", f"{name}={value}")]
    words += [word for row in rows or [] for word in ("--row", row)]
    return shlex.join([*words, "--json", file.name])


def table(subjects: Sequence[Path], asked: Asked, file: Path, command: str) -> dict[str, Any]:
    """Run what is missing in `file` and return the result; ConfigError when it was made with other settings."""
    import numpy as np

    from lipwright.recipes.motion_table.fit import fit
    from lipwright.recipes.motion_table.score import score
    from lipwright.recipes.motion_table.timing import feature_time, inference

    data = _opened(file, asked.settings())
    data.setdefault("features", feature_time())
    with Bars() as bars:
        for path in subjects:
            corpus = corpus_of(path).shortened(asked.training.learn_s)
            runs = _runs_of(data, corpus, file)
            mean = np.concatenate([c.landmarks[c.weight > 0] for c in corpus.train]).mean(axis=0)
            for seed in range(asked.seeds):
                for row in asked.rows:
                    done = runs.setdefault(row.name, {})
                    if str(seed) in done:
                        continue
                    bars.start(f"{corpus.name}: {row.name}, seed {seed}", asked.training.epochs)
                    config = asked.training.config(row)
                    fitted = fit(config, corpus.data, seed, asked.training, bars.update)
                    bars.finish()
                    place = make_folder(models_folder(file, corpus.name)) / f"{row.file}-{seed}.safetensors"
                    fitted.model.save(place)
                    facts = {k: getattr(fitted, k) for k in ("epochs", "best_epoch", "steps", "parameters")}
                    facts |= {"train_s": fitted.seconds, "train_cpu_s": fitted.cpu_s}
                    times = inference(fitted.model, sliding=seed == 0)
                    done[str(seed)] = facts | times | score(fitted.model, corpus.tests, mean)
                    found = motion_tables.result_of(data, command)
                    write_json(str(file), found)
    found = motion_tables.result_of(data, command)
    write_json(str(file), found)
    return found


def show(found: dict[str, Any], file: Path) -> None:
    """Tables for people, the same as markdown and a plot beside the file."""
    from lipwright.cli.bench.motion_plot import plot
    from lipwright.cli.results import cell, markdown
    from lipwright.core.files import atomic_file

    for one in found["tables"]:
        print_table(one["title"], one["columns"], [[cell(value) for value in row] for row in one["rows"]])
    for note in found["notes"]:
        print(note)
    with atomic_file(file.with_suffix(".md")) as temporary:
        temporary.write_text(markdown(found), encoding="utf-8")
    plot(found["data"], file.with_suffix(".png"))
    print(f"{file}, {file.with_suffix('.md').name}, {file.with_suffix('.png').name}")


def _opened(file: Path, settings: dict[str, Any]) -> dict[str, Any]:
    if not file.is_file():
        return {"settings": settings, "subjects": {}}
    try:
        data = json.loads(file.read_text(encoding="utf-8"))["data"]
        before = data["settings"]
        data["subjects"].values()
        different = [key for key, value in settings.items() if before.get(key) != value]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{file} is not a table of `bench motion`; choose another file") from error
    if different:
        key = different[0]
        raise ConfigError(
            f"{file} was made with another {key} ({before.get(key)}, asked {settings[key]}); choose another file"
        )
    return dict(data)


def _runs_of(data: dict[str, Any], corpus: Corpus, file: Path) -> dict[str, Any]:
    entry = data["subjects"].setdefault(corpus.name, {"source": corpus.source, "runs": {}})
    if entry["source"] != corpus.source:
        raise ConfigError(f"{file} holds runs of another subject named {corpus.name}; choose another file")
    entry["train_s"] = corpus.train_s
    entry["test_s"] = sum(len(t.clip) for t in corpus.tests) / 25
    runs: dict[str, Any] = entry["runs"]
    return runs
