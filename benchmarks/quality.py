"""Quality tables of docs/results.md: personas of one subject under the protocols.

    python benchmarks/quality.py footage.mp4 --audio 57-64 --picture 0-7 -o runs/anchor \
        --json benchmarks/results/quality-anchor.json instant=instant.persona sewn=sewn.persona full-face=full.persona

`lipwright report` puts all `quality-*.json` into common tables.
Scores already in the output folder are not measured again, so an interrupted run goes on; a note says when one is of
another commit. A persona made anew needs a folder of its own.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from lipwright.cli.machine import machine
from lipwright.cli.results import cell, command_line, markdown, result, table
from lipwright.cli.transcript import read_phones
from lipwright.cli.values import stretch
from lipwright.core.contracts import LANDMARKS
from lipwright.core.files import write_json
from lipwright.evaluate.protocols import run_cross, run_self
from lipwright.evaluate.speakers import PersonaSpeaker
from lipwright.evaluate.video import evaluate
from lipwright.synthesis.speaker import Persona

SELF = {
    "mouth.psnr": "mouth PSNR, dB",
    "mouth.ssim_gaussian": "mouth SSIM, Gaussian window",
    "mouth.sharpness_ratio": "mouth sharpness to real",
    "mouth.jitter_ratio": "mouth jitter to real",
    "full.psnr": "full PSNR, dB",
    "landmarks.lmd": "LMD raw, px",
    "landmarks.lmd_centred": "LMD centred, px",
    "lips.correlation": "lip aperture, correlation",
    "lips.amplitude": "lip aperture, amplitude",
    "speech.offset": "audio-video offset, ms",
    "lipmatch.confidence": "LipMatch confidence",
    "speech.silence_ratio": "silence ratio",
    "speech.closure_rate": "bilabial closure rate",
}
CROSS = {
    "shape.centred": "mouth shape, px",
    "shape.raw": "mouth shape and place, px",
    "lips.correlation": "lip aperture, correlation",
    "lips.amplitude": "lip aperture, amplitude",
    "lips.template_leak": "template leak",
    "mouth.sharpness_ratio": "mouth sharpness to template",
    "speech.offset": "audio-video offset, ms",
    "lipmatch.confidence": "LipMatch confidence",
    "speech.silence_ratio": "silence ratio",
}
CONTROLS = {"real": "*real*", "frozen": "*frozen mouth*", "mean": "*mean mouth*", "floor": "*noise*"}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("footage", type=Path)
    options.add_argument("personas", nargs="+", help="NAME=FOLDER; NAME=FOLDER:RENDERER for another renderer")
    options.add_argument("--audio", required=True, help="held-out stretch, as 57-64")
    options.add_argument("--picture", required=True, help="stretch of the same length for cross, as 0-7")
    options.add_argument("--exact", type=Path, help="real frames of the cross result, where they exist")
    options.add_argument("--phones", type=Path, help="phones of --exact, for the closure rate")
    options.add_argument("-o", "--out", type=Path, required=True, help="folder for videos, scores and pages")
    options.add_argument("--json", type=Path, help="tables for `lipwright report` (default: quality.json in --out)")
    return options


def main() -> None:
    options = parser().parse_args()
    tables: dict[str, dict[str, Any]] = {}
    for named in options.personas:
        name, _, where = named.partition("=")
        folder, _, renderer = where.partition(":")
        for protocol, scores in measure(options, name, Path(folder), renderer or None).items():
            tables.setdefault(protocol, {})[name] = scores
    shown = [quality_table(protocol, columns) for protocol, columns in tables.items()]
    data = {protocol: {name: _values(one) for name, one in rows.items()} for protocol, rows in tables.items()}
    found = result(command_line("benchmarks/quality.py", sys.argv[1:]), shown, data=data, notes=earlier(tables))
    write_json(options.json or options.out / "quality.json", found)
    print(markdown(found))


def measure(options: argparse.Namespace, name: str, folder: Path, renderer: str | None) -> dict[str, Any]:
    """Scores of one persona by protocol."""
    audio, picture = stretch(options.audio, "--audio"), stretch(options.picture, "--picture")
    assert audio is not None
    assert picture is not None
    persona = Persona.load(folder)
    out = options.out
    out.mkdir(parents=True, exist_ok=True)

    def video(protocol: str) -> Path:
        return out / f"{name}-{protocol}.mp4"

    speak = PersonaSpeaker(persona, renderer=renderer)
    runs = {
        "self": lambda: run_self(speak, options.footage, *audio, video("self")),
        "cross": lambda: run_cross(speak, options.footage, audio, picture, video("cross")),
    }
    if persona.renderer(renderer).accepts == LANDMARKS:  # one that hears the speech itself draws no given landmarks
        true = PersonaSpeaker(persona, renderer=renderer, replay=True)
        runs["truth"] = lambda: run_self(true, options.footage, *audio, video("truth"), protocol="truth")
    if options.exact is not None:
        phones = read_phones(options.phones) if options.phones else None
        runs["cross, exact"] = lambda: evaluate(video("cross"), reference=options.exact, transcript=phones)
    scores = {}
    for protocol, run in runs.items():
        file = out / f"{name}-{protocol.replace(', ', '-')}.json"
        if not file.is_file():
            result = run()
            result.write_html(file.with_suffix(".html"))
            write_json(file, result.to_json() | {"machine": machine()})
        scores[protocol] = json.loads(file.read_text(encoding="utf-8"))
    return scores


def quality_table(protocol: str, columns: dict[str, Any]) -> dict[str, Any]:
    """A row per persona, as papers lay it out, then the controls.

    These do not depend on the persona, but for the noise of the tracker, of which the largest is shown.
    """
    made = {name: scores["metrics"] for name, scores in columns.items()}
    first = next(iter(made.values()))
    labels = CROSS if "lips.template_leak" in first else SELF
    keys = [key for key in labels if any(key in rows for rows in made.values())]
    lines: list[list[Any]] = [[name, *(_sure(rows.get(key, {})) for key in keys)] for name, rows in made.items()]
    for control, label in CONTROLS.items():
        found = [[rows.get(key, {}).get(control) for rows in made.values()] for key in keys]
        known = [[value for value in values if value is not None] for values in found]
        lines.append([label, *((max(v) if control == "floor" else v[0]) if v else None for v in known)])
    return table(f"`{protocol}`", ("recipe", *(labels[key] for key in keys)), lines)


def earlier(tables: dict[str, dict[str, Any]]) -> list[str]:
    """A line for every score that lay in the folder already and is of another commit than this run."""
    here = machine()["commit"]
    made = {
        (name, protocol): one.get("machine", {}).get("commit")
        for protocol, rows in tables.items()
        for name, one in rows.items()
    }
    return [
        f"{name}, `{protocol}`: measured earlier, at {f'commit {commit}' if commit else 'an unknown commit'}."
        for (name, protocol), commit in made.items()
        if commit != here
    ]


def _values(scores: dict[str, Any]) -> dict[str, Any]:
    """Every metric's numbers, without what is the same everywhere."""
    told = ("label", "unit", "better")
    return {
        key: {name: value for name, value in row.items() if value is not None and name not in told}
        for key, row in scores["metrics"].items()
    }


def _sure(row: dict[str, Any]) -> str:
    """The value with its 95 % interval."""
    span = row.get("interval")
    return cell(row.get("video")) + (f" ({cell(span[0])} to {cell(span[1])})" if span else "")


if __name__ == "__main__":
    main()
