"""`lipwright models list | add | path`: weights that users bring themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_json, print_table

app = typer.Typer(
    help="Weights you bring yourself, kept in one local folder; nothing is downloaded.",
    no_args_is_help=True,
)


@app.command("list")
def list_models(json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Which models can be used, and which are here."""
    from lipwright.core import weights

    rows = []
    for name, model in sorted(weights.MODELS.items()):
        path = weights.find(name)
        rows.append({"name": name, "present": path is not None, "purpose": model.purpose})
        rows[-1] |= {"licence": model.licence, "path": path}
    if json:
        print_json(rows)
        return
    table = [(r["name"], "yes" if r["present"] else "no", r["licence"], r["purpose"]) for r in rows]
    print_table("", ("model", "here", "licence", "for"), table)
    print("Bring one with: lipwright models add NAME FILE")


@app.command("add")
def add_model(
    name: Annotated[str, typer.Argument(help="A name from `lipwright models list`.")],
    file: Annotated[Path, typer.Argument(help="The file to copy in, or the folder for wav2vec2.")],
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Check a file and copy it into the models folder."""
    from lipwright.core import weights

    with kept("nothing was added; run the same command again"):
        target, digest = weights.add(name, file)
    if json:
        print_json({"name": name, "path": target, "sha256": digest})
    else:
        print(f"{name}: {target}\nsha256 {digest}")


@app.command("path")
def show_path() -> None:
    """The folder they are kept in."""
    from lipwright.core import weights

    print(weights.folder())
