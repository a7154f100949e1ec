"""How long lipwright takes to begin: import, help, loading a persona, the first frame of `speak`.

    python benchmarks/startup.py --json benchmarks/results/startup.json
    python benchmarks/startup.py anchor.persona vh.persona --speech speech.wav

Each step is a process of its own, run once to warm the file cache and then `--repeats` times; the figures are the least
wall time and the least processor time, because other work on the machine only ever adds. `bare` is Python itself, the
baseline of `import` and `--help`; torch's import, which every later step needs, that of the rest. A persona is loaded
and speaks in a process that has imported nothing before; `first frame` counts from the start of that process to the
first whole picture of the result.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import lipwright
from lipwright.cli.assets import ASSETS
from lipwright.cli.results import cell, command_line, result, table
from lipwright.core.files import write_json

COLUMNS = ["step", "least wall s", "least CPU s", "over its baseline"]
_LOAD = "from lipwright.synthesis.speaker import Persona\npersona = Persona.load({persona!r})\n"
_FRAME = "frame = next(iter(persona.speak({speech!r}, engine={engine!r})))\nframe.rgb8\nimport os\nos._exit(0)\n"


def least(code: list[str], repeats: int) -> tuple[float, float]:
    """(wall, CPU) seconds of a process, the least of the runs after one."""
    environment = os.environ | {"PYTHONPATH": str(Path(lipwright.__file__).parents[1])}
    walls, spent = [], []
    for _ in range(repeats + 1):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run([sys.executable, *code], check=True, env=environment, stdout=subprocess.DEVNULL)
        walls.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(walls[1:]), min(spent[1:])


def steps(personas: list[Path], speech: Path, engine: str) -> list[tuple[str, list[str], str]]:
    """(step, what Python is given, its baseline)."""
    found = [
        ("bare", ["-c", "pass"], "bare"),
        ("import lipwright", ["-c", "import lipwright"], "bare"),
        ("lipwright --help", ["-m", "lipwright", "--help"], "bare"),
        ("import torch", ["-c", "import torch"], "import torch"),
        ("import Persona", ["-c", "from lipwright.synthesis.speaker import Persona"], "import torch"),
    ]
    for persona in personas:
        load = _LOAD.format(persona=str(persona))
        frame = _FRAME.format(speech=str(speech), engine=engine)
        found.append((f"load {persona.name}", ["-c", load], "import torch"))
        found.append((f"first frame of {persona.name}", ["-c", load + frame], "import torch"))
    return found


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("personas", nargs="*", type=Path, default=[ASSETS / "demo.persona"])
    p.add_argument("--speech", type=Path, default=ASSETS / "demo_speech.wav")
    p.add_argument("--engine", default="auto")
    p.add_argument("--repeats", type=int, default=5)
    p.add_argument("--json", type=Path)
    return p


def main() -> None:
    given = parser().parse_args()
    print(" | ".join(COLUMNS))
    rows, base = [], {}
    for name, code, baseline in steps(given.personas, given.speech, given.engine):
        wall, spent = least(code, given.repeats)
        base.setdefault(name, spent)
        rows.append([name, wall, spent, spent / base[baseline]])
        print(" | ".join(map(cell, rows[-1])), flush=True)
    if given.json is not None:
        made = command_line("benchmarks/startup.py", sys.argv[1:])
        write_json(given.json, result(made, [table("", COLUMNS, rows)]))


if __name__ == "__main__":
    main()
