"""`lipwright recipes`: the systems that can be trained."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lipwright.cli.output import print_json, print_table


def command(json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """List the recipes: what each is, where it comes from, which presets it has."""
    from lipwright.recipes.base import find, names

    rows: list[dict[str, Any]] = []
    for name in names():
        recipe = find(name)
        rows.append({"name": name, "summary": recipe.summary, "source": recipe.source})
        rows[-1] |= {"presets": list(recipe.presets), "modes": list(recipe.modes)}
    if json:
        print_json(rows)
    else:
        table = [(r["name"], r["summary"], r["source"], ", ".join(r["presets"])) for r in rows]
        print_table("", ("recipe", "what it is", "from", "presets"), table)
