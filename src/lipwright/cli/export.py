"""`lipwright export PERSONA --to openvino`: a persona's networks as files for other runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lipwright.cli.assets import persona_path
from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_json, print_table
from lipwright.cli.values import sibling
from lipwright.core.bars import Bars


def command(
    persona: Annotated[str, typer.Argument(help="Persona folder, or `demo` for the one that ships.")],
    to: Annotated[str, typer.Option("--to", help="onnx, openvino or tensorrt.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder.  [default: PERSONA.onnx ...]")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what export.json holds.")] = False,
) -> None:
    """Write every network of a persona for another runtime, each compared with torch. Speaking needs no export."""
    folder = persona_path(persona)
    out = out or sibling(Path(folder.name) if persona == "demo" else folder, f".{to}")
    with kept(f"{out} was not written (it appears only when whole); run the same command again"), Bars() as bars:
        from lipwright.persona.bundle import Bundle
        from lipwright.persona.export import export

        found = export(Bundle.load(folder), to, out, bars)
    if json:
        print_json({"out": out, **found})
        return
    columns = ("network", "engine", "greatest error", "rms error", "unit")
    print_table("", columns, [row for network in found["networks"] for row in _rows(network)])
    if found.get("built") is False:
        print("TensorRT plans were not built: there is no trtexec here; run build.sh on the machine that will use them")
    print(f"{out}: {len(found['networks'])} networks")


def _rows(network: dict[str, Any]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for engine, error in network["error"].items():
        shown = ("not run here", "") if error is None else (f"{error['greatest']:.3g}", f"{error['rms']:.3g}")
        rows.append((network["name"], engine, *shown, network["unit"]))
    return rows
