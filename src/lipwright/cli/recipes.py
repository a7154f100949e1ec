"""`lipwright recipes`: the systems that can be trained."""

from __future__ import annotations

from typing import Annotated

import typer

from lipwright.cli.output import print_json, print_table


def command(json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """List the recipes: what each is, and the paper it follows."""
    from lipwright.recipes import RECIPES

    rows = []
    for name in RECIPES:
        recipe = RECIPES.get(name)
        rows.append(
            {key: getattr(recipe, key, None) for key in ("name", "summary", "paper")} | {"name": name}
        )
    if json:
        print_json(rows)
    else:
        print_table("", ("recipe", "what it is", "paper"), [tuple(row.values()) for row in rows])
