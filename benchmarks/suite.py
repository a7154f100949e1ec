"""All benchmarks of speed in one call: stages, recipes, presets, and how they scale, as ratios to named baselines.

    python benchmarks/suite.py --json runs/bench/suite.json --plot runs/bench/suite.png
    python benchmarks/suite.py --persona anchor.persona --persona vh.persona --groups speak length cores
    lipwright bench compare old-suite.json runs/bench/suite.json --share 0.1

| group | steps | baseline, in the same run |
|---|---|---|
| media | encode, decode, read backwards | encode 512 px |
| sew | a patch into pictures | the whole 1080p picture through RGB |
| prepare | footage to subject | itself |
| render | every preset and mode, drawing and a training step | a stock pix2pixHD generator at 512 px |
| crossmodal | the network in every engine | torch eager of the same network |
| motion | five minutes of speech to landmarks in every engine | torch |
| startup | import, help, load, first frame | Python alone, or torch's import |
| speak | every persona and renderer end to end at 512 px, 720p, 1080p and 4K | decode and encode alone |
| length | the same persona for longer and longer speech | the shortest |
| cores | the same with fewer cores | one core |

Every step is a process of its own. A ratio is the baseline's processor time over the step's (of `cores`: frames a
second over those of one core), so more is better and other work on the machine hardly moves it. What fails is written
down.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lipwright
from lipwright.cli.assets import persona_path
from lipwright.cli.results import cell, command_line, result, table
from lipwright.core.files import atomic_file, write_json
from lipwright.engines.running import cores

COLUMNS = ["group", "step", "ratio", "CPU ms", "fps", "peak MB"]
SIZES = (None, "1280x720", "1920x1080", "3840x2160")
HERE = Path(__file__).parent
Row = dict[str, Any]


class Failed(Exception):
    """A step did not run."""


def call(command: list[str], cpus: int | None = None) -> dict[str, Any]:
    """What a benchmark wrote; on the first `cpus` cores only."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.json"
        limited = (lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cpus])) if cpus else None
        environment = os.environ | {"PYTHONPATH": str(Path(lipwright.__file__).parents[1])}
        done = subprocess.run(
            [sys.executable, *command, "--json", str(file)], capture_output=True, text=True, env=environment,
            preexec_fn=limited,
        )  # fmt: skip
        if done.returncode or not file.is_file():
            raise Failed(" ".join((done.stderr or "nothing was written").split())[-300:])
        return dict(json.loads(file.read_text(encoding="utf-8")))


def bench(name: str, *options: str, seconds: float, repeats: int, cpus: int | None = None) -> list[Row]:
    """Rows of `lipwright bench`."""
    command = ["-m", "lipwright", "bench", name, "--seconds", str(seconds), "--repeats", str(repeats), *options]
    return [
        {"step": m["step"], "ratio": m["cpu_ratio"], "CPU ms": m["cpu_ms"], "fps": m["fps"], "peak MB": m["peak_mb"]}
        for m in call(command, cpus)["measures"]
    ]


def script(
    name: str, *options: str, label: tuple[str, ...], ratio: str, spent: tuple[str, float], inverse: bool = False
) -> list[Row]:
    """Rows of a script beside this one.

    Args: `label` columns that name a step; `ratio` the column of it (`inverse`: less is better there); `spent` the
    column of processor time, and milliseconds in its unit.
    """
    (shown,) = call([str(HERE / name), *options])["tables"]
    found = []
    for row in (dict(zip(shown["columns"], row, strict=True)) for row in shown["rows"]):
        value = row[ratio]
        step = ", ".join(str(row[column]) for column in label)
        value = 1 / value if inverse else value
        ms = row[spent[0]] * spent[1]
        found.append({"step": step, "ratio": value, "CPU ms": ms, "fps": row.get("fps"), "peak MB": None})
    return found


def speak(given: argparse.Namespace) -> Iterator[Row]:
    for persona in given.persona:
        for renderer in renderers(persona):
            for size in SIZES:
                seconds = given.seconds if size is None else max(given.seconds / 4, 1)
                options = ["--persona", persona, "--renderer", renderer, *(["--size", size] if size else [])]
                for row in bench("speak", *options, seconds=seconds, repeats=given.repeats):
                    yield row | {"step": f"{Path(persona).name}, {size or 'own size'}: {row['step']}"}


def renderers(persona: str) -> list[str]:
    """All that a persona holds, its own first."""
    info = json.loads((persona_path(persona) / "persona.json").read_text(encoding="utf-8"))
    return list(dict.fromkeys([info["renderer"], "memory"]))


def length(given: argparse.Namespace) -> Iterator[Row]:
    first = None
    for times in (1, 4, 16):
        seconds = given.seconds * times / 2
        row = bench("speak", "--persona", given.persona[0], seconds=seconds, repeats=1)[-1]
        first = first or row
        yield row | {"step": f"{seconds:g} s of speech", "ratio": first["CPU ms"] / row["CPU ms"]}


def scaled(given: argparse.Namespace) -> Iterator[Row]:
    first, count = None, 1
    while count <= cores():
        options = ["--persona", given.persona[0]]
        row = bench("speak", *options, seconds=given.seconds, repeats=given.repeats, cpus=count)[-1]
        first = first or row
        yield row | {"step": f"{count} cores", "ratio": row["fps"] / first["fps"]}
        count *= 2


def groups() -> dict[str, Callable[[argparse.Namespace], Any]]:
    """Group -> its rows."""

    def plain(name: str) -> Callable[[argparse.Namespace], list[Row]]:
        return lambda g: bench(name, seconds=g.seconds, repeats=g.repeats)

    def render(g: argparse.Namespace) -> Iterator[Row]:
        for preset in g.presets:
            yield from bench("render", "--preset", preset, seconds=1, repeats=1)

    return {
        "media": plain("media"),
        "sew": plain("sew"),
        "prepare": plain("prepare"),
        "render": render,
        "crossmodal": lambda g: script(
            "crossmodal.py", "--count", str(g.count), label=("size", "drawn", "runtime", "calls x threads"),
            ratio="to torch", spent=("CPU ms", 1),
        ),
        "motion": lambda g: script(
            "motion_engines.py", "--count", str(g.count), label=("cascade", "runtime", "threads"),
            ratio="to torch", spent=("CPU s", 1000),
        ),
        "startup": lambda g: script(
            "startup.py", *map(str, map(persona_path, g.persona)), "--repeats", str(g.repeats), label=("step",),
            ratio="over its baseline", spent=("least CPU s", 1000), inverse=True,
        ),
        "speak": speak,
        "length": length,
        "cores": scaled,
    }  # fmt: skip


def measured(given: argparse.Namespace) -> tuple[list[list[Any]], dict[str, float], list[str]]:
    """(rows, group: step -> ratio, what failed)."""
    rows: list[list[Any]] = []
    found: dict[str, float] = {}
    notes: list[str] = []
    for name in given.groups:
        try:
            for row in groups()[name](given):
                rows.append([name, *(row[column] for column in COLUMNS[1:])])
                if row["ratio"] is not None:
                    found.setdefault(f"{name}: {row['step']}", row["ratio"])
                print(" | ".join(map(cell, rows[-1])), flush=True)
        except Failed as error:
            notes.append(f"{name}: stopped, {error}")
            print(notes[-1], flush=True)
    return rows, found, notes


def plot(ratios: dict[str, float], path: Path) -> None:
    """Bars of all ratios, one colour a group, 1 the baseline; logarithmic."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator

    names = list(ratios)
    figure = Figure(figsize=(11, 1.2 + 0.24 * len(names)), dpi=90, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    kinds = list(dict.fromkeys(name.partition(":")[0] for name in names))
    colours = [f"C{kinds.index(name.partition(':')[0]) % 10}" for name in names]
    axes.barh(range(len(names)), [ratios[n] - 1 for n in names], left=1, color=colours)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlabel("times as fast as the baseline of its group (processor time)")
    axes.margins(y=0.01)
    with atomic_file(path) as temporary:
        figure.savefig(str(temporary), format=path.suffix[1:] or "png")


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--groups", nargs="+", default=list(groups()), choices=list(groups()))
    p.add_argument("--persona", action="append", help="persona to speak, again for more; the demo by default")
    p.add_argument("--presets", nargs="+", default=["draft", "standard", "broadcast"])
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--count", type=int, default=15, help="timed pictures and passes of networks")
    p.add_argument("--json", type=Path)
    p.add_argument("--plot", type=Path)
    return p


def main() -> None:
    given = parser().parse_args()
    given.persona = given.persona or ["demo"]
    print(" | ".join(COLUMNS))
    rows, found, notes = measured(given)
    if given.json is not None:
        made = command_line("benchmarks/suite.py", sys.argv[1:])
        write_json(given.json, result(made, [table("", COLUMNS, rows)], data={"ratios": found}, notes=notes))
    if given.plot is not None and found:
        plot(found, given.plot)
    if notes:
        sys.exit(1)


if __name__ == "__main__":
    main()
