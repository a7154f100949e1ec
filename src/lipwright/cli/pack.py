"""`lipwright pack SUBJECT/ -o FILE`: what a machine that only trains needs of a subject."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_json
from lipwright.cli.values import sibling
from lipwright.core.bars import Bars
from lipwright.core.config import settings


def command(
    subject: Annotated[Path, typer.Argument(help="Folder made by `lipwright prepare`.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="[default: SUBJECT.packed.safetensors]")] = None,
    recipe: Annotated[str, typer.Option(help="Whose renderer: pose-adaptive, virtual-human ...")] = "pose-adaptive",
    preset: Annotated[str, typer.Option(help="Size of the renderer: draft, standard or broadcast.")] = "standard",
    mode: Annotated[str, typer.Option(help="sewn (mouth and jaw) or full-face.")] = "sewn",
    change: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE of the renderer's configuration, repeatable.")
    ] = None,
    megabytes: Annotated[float, typer.Option(min=1, help="Room for pictures; fewer frames if they do not fit.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write a subject's crops and landmarks into one file, to train its renderer on another machine."""
    target = out or sibling(subject, ".packed.safetensors")
    with kept("nothing was written; run the same command again"), Bars() as bars:
        from lipwright.recipes.pack import pack

        chosen = settings(change or [])
        pack(
            subject, target, recipe=recipe, preset=preset, mode=mode, settings=chosen, megabytes=megabytes,
            progress=bars,
        )  # fmt: skip
    if json:
        print_json({"packed": target, "bytes": target.stat().st_size})
    else:
        print(f"Packed: {target} ({target.stat().st_size / 1e6:.1f} MB)")
        print(f"Next, where the GPU is: python -m lipwright.train {target.name} -o trained --budget 10m")
