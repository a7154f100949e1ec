"""What `lipwright bench` wrote, as tables for `lipwright report`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lipwright.cli.bench.ablations import COLUMNS

_OPTIONS = ("persona", "renderer", "size", "preset", "device")
_NETWORK = {"gmacs": "GMAC", "mparams": "M weights", "gpu_mb": "GPU MB"}


def of_measures(given: Mapping[str, Any]) -> dict[str, Any]:
    """Command, machine and one table of a speed benchmark; columns without any value are left out."""
    command = f"lipwright bench {given['benchmark']} --seconds {given['seconds']:g} --repeats {given['repeats']}"
    command += "".join(f" --{option} {Path(given[option]).name}" for option in _OPTIONS if given.get(option))
    measures = given["measures"]
    more = {key: name for key, name in _NETWORK.items() if any(m.get(key) is not None for m in measures)}
    rows = [
        [m["step"], m["fps"], f"{m['fps_low']:.3g} to {m['fps_high']:.3g}", m["ratio"], m["cpu_ms"], m["peak_mb"]]
        + [m.get(key) for key in more]
        for m in measures
    ]
    columns = ["step", "fps", "quartiles", "to the first", "CPU ms a frame", "peak MB", *more.values()]
    tables = [{"title": "", "columns": columns, "rows": rows}]
    tables += [_stages(m) for m in measures if m.get("stages")]
    return {"command": command, "machine": given["machine"], "tables": tables}


def _stages(measure: Mapping[str, Any]) -> dict[str, Any]:
    """Where the processor time of a step went, most first."""
    found = sorted(measure["stages"].items(), key=lambda one: -one[1])
    return {
        "title": "CPU ms a frame by stage",
        "columns": ["step", *(name for name, _ in found)],
        "rows": [[measure["step"], *(ms for _, ms in found)]],
    }


def of_ablations(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a quality table of renderers: one table per subject, the machine of its last row."""
    command = f"lipwright bench render {' '.join(given['subjects'])} --ablations --preset {given['preset']}"
    command += f" --steps {given['steps']} --seed {given['seed']}"
    command += "".join(f" --set {name}={value}" for name, value in given["changes"].items()) + " --json table.json"
    columns = ["row", "mouth PSNR, dB", "mouth SSIM", "sharpness", "jitter", "full SSIM", "steps", "CPU s"]
    tables, machine = [], None
    for name, subject in given["subjects"].items():
        rows = []
        for row, facts in subject["rows"].items():
            done = facts["status"] == "run"
            machine = facts.get("machine", machine)
            cells = [facts[key] for key in (*COLUMNS, "steps", "cpu_s")] if done else ["not run", *[None] * 6]
            rows.append([row, *cells])
        tables.append({"title": name, "columns": columns, "rows": rows})
    if machine is None:
        raise ValueError("no row was run")
    return {"command": command, "machine": machine, "tables": tables}
