"""`lipwright evaluate VIDEO`: every score beside its baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lipwright.cli.interrupt import kept
from lipwright.cli.output import write_json
from lipwright.cli.transcript import read_phones


def command(
    video: Annotated[Path, typer.Argument(help="Video to judge.")],
    reference: Annotated[Path | None, typer.Option(help="The real video of the same speech.")] = None,
    transcript: Annotated[
        Path | None, typer.Option(help="Phones with times, JSON or lines of PHONE START END.")
    ] = None,
    json: Annotated[str | None, typer.Option(help="Write the scores to this JSON file (- for stdout).")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report with pictures to this file.")] = None,
) -> None:
    """Measure how well the mouth fits the speech and, with a reference, the real mouth."""
    phones = None if transcript is None else read_phones(transcript)
    with kept("nothing was written; run the same command again"):
        from lipwright.evaluate.video import evaluate

        result = evaluate(video, reference=reference, transcript=phones)
        if html is not None:
            result.write_html(html)
        if json is not None:
            write_json(json, result.to_json())
    if json != "-":
        print(result)
