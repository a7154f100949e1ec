"""`lipwright evaluate VIDEO`: every score beside its baselines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lipwright.cli.interrupt import kept
from lipwright.cli.output import write_json
from lipwright.core.errors import SpeechError


def command(
    video: Annotated[Path, typer.Argument(help="Video to judge.")],
    reference: Annotated[Path | None, typer.Option(help="The real video of the same speech.")] = None,
    transcript: Annotated[Path | None, typer.Option(help="UTF-8 text of what is said.")] = None,
    json: Annotated[
        str | None, typer.Option(help="Write the scores to this JSON file (- for stdout).")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report with pictures to this file.")] = None,
) -> None:
    """Measure how well the mouth fits the speech and, with a reference, the real mouth."""
    text = None
    if transcript is not None:
        try:
            text = transcript.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SpeechError(
                f"{transcript} cannot be read as UTF-8 text ({error}); check the file"
            ) from error
    with kept("nothing was written; run the same command again"):
        from lipwright.evaluate.video import evaluate

        result = evaluate(video, reference=reference, transcript=text)
        if html is not None:
            result.write_html(html)
        if json is not None:
            import json as codec

            data = result.to_json()
            write_json(json, codec.loads(data) if isinstance(data, str) else data)
    if json != "-":
        print(result)
