"""`lipwright bench NAME`: measured speed and memory on this machine, with the machine written beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lipwright.cli.bench import media, meta_talk, prepare, render, sew, speak, system_rows, virtual_human
from lipwright.cli.bench.measure import Job, Measure
from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_table, write_json
from lipwright.cli.values import picture_size
from lipwright.core.bars import Bars
from lipwright.core.errors import ConfigError

if TYPE_CHECKING:
    from lipwright.recipes.ablation import Table

BENCHES: dict[str, Callable[[Job], list[Measure]]] = {
    "media": media.run,
    "prepare": prepare.run,
    "sew": sew.run,
    "speak": speak.run,
    "render": render.run,
}


def command(
    name: Annotated[
        str, typer.Argument(help="media, prepare, sew, speak, render, virtual-human, meta-talk, motion or compare.")
    ],
    subjects: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Subjects for virtual-human, meta-talk, motion (or tracks), render --ablations; or results."
        ),
    ] = None,
    persona: Annotated[str, typer.Option(help="Persona for speak.")] = "demo",
    seconds: Annotated[float, typer.Option(min=1, help="Length of the material; frames drawn for render.")] = 10,
    renderer: Annotated[str | None, typer.Option(help="Another of the persona's renderers, such as memory.")] = None,
    size: Annotated[str | None, typer.Option(help="Speak over pictures of this size, as 3840x2160.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Measured runs.")] = 3,
    preset: Annotated[str | None, typer.Option(help="Renderer preset.  [default: all; draft for --ablations]")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda, for render.")] = "auto",
    ablations: Annotated[bool, typer.Option("--ablations", help="Train and score the rows of render's table.")] = False,
    steps: Annotated[int, typer.Option(min=1, help="Training steps of every row.")] = 600,
    budget: Annotated[str | None, typer.Option(help="Time for each network instead, as 5m.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of every row.")] = 0,
    rows: Annotated[list[str] | None, typer.Option("--row", help="Only this row; may be repeated.")] = None,
    changes: Annotated[list[str] | None, typer.Option("--set", help="field=value of every row's config.")] = None,
    footage: Annotated[Path | None, typer.Option(help="Unseen video of the person, for comparisons.")] = None,
    audio: Annotated[str | None, typer.Option(help="Its stretch that is spoken, as 57-64.")] = None,
    picture: Annotated[str | None, typer.Option(help="Its stretch that is spoken over, as 0-7.")] = None,
    truth: Annotated[Path | None, typer.Option("--exact", help="Real frames of that speech on those heads.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of every row of motion.")] = 5,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of every row of motion at most.")] = 100,
    patience: Annotated[int, typer.Option(min=1, help="Epochs of motion without progress until a row stops.")] = 12,
    width: Annotated[float, typer.Option(min=0.01, help="Share of the published widths, for motion.")] = 1.0,
    learn_seconds: Annotated[float | None, typer.Option(help="Training footage used, for motion.")] = None,
    share: Annotated[float, typer.Option(min=0, max=1, help="By how much a ratio may fall, for compare.")] = 0.1,
    json: Annotated[str | None, typer.Option("--json", help="Write to this JSON file (- for stdout).")] = None,
) -> None:
    """Measure one part of the toolkit on this machine, or compare two results by their ratios."""
    if name == "compare":
        if len(subjects or []) != 2:
            raise ConfigError("bench compare needs two results: lipwright bench compare OLD.json NEW.json")
        from lipwright.cli.bench.compare import compare

        old, new = subjects or []
        compare(old, new, share)
        return
    if name == "motion":
        from lipwright.cli.bench import motion
        from lipwright.recipes.motion_table.rows import Training

        trained = Training(epochs, patience, width, changes_of(changes), learn_seconds, device)
        motion.command(subjects or [], rows, seeds, trained, json)
        return
    known = (*BENCHES, virtual_human.NAME, meta_talk.NAME)
    if name not in known:
        raise ConfigError(f"unknown benchmark {name!r}; choose from {', '.join((*known, 'motion', 'compare'))}")
    if ablations:
        if name != "render":
            raise ConfigError(f"bench {name} has no --ablations; use bench render")
        from lipwright.cli.bench import ablations as renderers

        asked = _table(preset, steps, seed, rows, changes)
        _kept_table("render --ablations", renderers, subjects or [], asked, device, json)
        return
    if name == virtual_human.NAME:
        reported = system_rows.reported_of(footage, audio, picture, truth)
        table = system_rows.asked(virtual_human.kind(), preset, steps, budget, seed, rows, changes, reported)
        _kept_table("virtual-human", virtual_human, subjects or [], table, device, json)
        return
    if name == meta_talk.NAME:
        if truth is not None:
            raise ConfigError("bench meta-talk compares no --exact frames; leave it out")
        reported = system_rows.reported_of(footage, audio, picture, None)
        talk = system_rows.asked(meta_talk.kind(), preset, steps, budget, seed, rows, changes, reported)
        _kept_table("meta-talk", meta_talk, subjects or [], talk, device, json)
        return
    if subjects:
        raise ConfigError("subjects are for virtual-human, meta-talk and bench render --ablations; leave them out")
    exact = picture_size(size, "--size")
    if isinstance(exact, int):
        raise ConfigError(f"--size {size}: give both sides, as 3840x2160")
    from lipwright.cli.machine import machine
    from lipwright.core.device import torch_device

    where = {"benchmark": name, "seconds": seconds, "repeats": repeats}
    where |= {"persona": Path(persona).name, "renderer": renderer, "size": size} if name == "speak" else {}
    if name == "render":
        device = torch_device(device)
        where |= {"preset": preset, "device": device}
    with kept("nothing was written; run the same command again"), tempfile.TemporaryDirectory() as folder:
        found = BENCHES[name](Job(Path(folder), persona, seconds, repeats, renderer, exact, preset, device))
    _tell(where | {"machine": machine()}, found, json)


def _tell(where: dict[str, Any], found: list[Measure], json: str | None) -> None:
    """Figures to a file, and to people unless the file is stdout."""
    first = found[0]
    measures = [
        replace(m, ratio=round(m.fps / first.fps, 4), cpu_ratio=round(first.cpu_ms / max(m.cpu_ms, 1e-3), 4))
        for m in found
    ]
    if json is not None:
        write_json(json, where | {"measures": [asdict(m) for m in measures]})
    if json == "-":
        return
    columns = ["step", "fps", "quartiles", "to the first", "CPU ms", "peak MB"]
    network = any(m.gmacs for m in measures)
    table = [
        [m.step, f"{m.fps:.3g}", f"{m.fps_low:.3g} to {m.fps_high:.3g}", f"{m.ratio:.3f}", m.cpu_ms, m.peak_mb]
        + ([m.gmacs, m.mparams, m.gpu_mb] if network else [])
        for m in measures
    ]
    print_table("", columns + (["GMAC", "M weights", "GPU MB"] if network else []), table)
    for m in measures:
        if m.stages:
            shown = sorted(m.stages.items(), key=lambda one: -one[1])
            print_table(f"CPU ms a frame, {m.step}", [name for name, _ in shown], [[ms for _, ms in shown]])


def changes_of(pairs: list[str] | None) -> dict[str, str]:
    """`--set` as a mapping."""
    from lipwright.core.config import settings

    return settings(pairs or [])


def _table(preset: str | None, steps: int, seed: int, rows: list[str] | None, changes: list[str] | None) -> Table:
    """The asked table; ConfigError for unknown rows and fields."""
    from lipwright.core.config import settings
    from lipwright.recipes.ablation import ROWS, Table, chosen

    table = Table(preset or "draft", steps, seed, settings(changes or []), chosen(rows) if rows else ROWS)
    for row in table.rows:
        table.config(row)
    return table


def _kept_table(name: str, rows: ModuleType, subjects: list[Path], asked: Any, device: str, json: str | None) -> None:
    """Run and show a table whose rows are kept: `rows` has its `run` and its `show`."""
    if not subjects or json in (None, "-"):
        raise ConfigError(f"bench {name} needs subjects and --json FILE, which also keeps finished rows")
    from lipwright.core.device import torch_device

    file = Path(str(json))
    with kept(f"finished rows are in {file}; run the same command again to go on"), Bars() as bars:
        found = rows.run(subjects, asked, torch_device(device), file, bars)
    rows.show(found)
