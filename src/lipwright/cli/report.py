"""`lipwright report`: the numbers of a page, made from the JSON files of benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lipwright.cli import results
from lipwright.core.errors import ConfigError
from lipwright.core.files import atomic_file


def command(
    pages: Annotated[list[Path] | None, typer.Argument(help="Markdown pages with sections to fill.")] = None,
    folder: Annotated[Path, typer.Option("--results", help="Folder of JSON results.")] = Path("benchmarks/results"),
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail when a page is out of date.")] = False,
) -> None:
    """Write the measured sections of docs pages from the JSON that benchmarks wrote."""
    found = results.load(folder)
    for page in pages or [Path("docs/results.md")]:
        if not page.is_file():
            raise ConfigError(f"{page} is not a file; name a markdown page, or run this where docs/results.md is")
        text = page.read_text(encoding="utf-8")
        new, missing = results.fill(text, found)
        if missing:
            raise ConfigError(
                f"{page} has a section '{missing[0]}' but {folder} no {missing[0]}.json; run its benchmark"
            )
        if check and new != text:
            raise ConfigError(f"{page} is not what the results in {folder} give; run: lipwright report {page}")
        if new != text:
            with atomic_file(page) as temporary:
                temporary.write_text(new, encoding="utf-8")
        print(f"{page}: {'up to date' if new == text else 'written'}")
