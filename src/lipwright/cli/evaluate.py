"""`lipwright evaluate VIDEO`: every score beside its baselines; or a persona under a protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lipwright.cli.assets import persona_path
from lipwright.cli.interrupt import kept
from lipwright.cli.output import write_json
from lipwright.cli.transcript import read_transcript
from lipwright.cli.values import stretch
from lipwright.core.errors import ConfigError

if TYPE_CHECKING:
    from lipwright.evaluate.result import Evaluation

PROTOCOLS = ("self", "cross", "truth")


def command(
    video: Annotated[Path, typer.Argument(help="Video to judge; with --protocol the person's real footage.")],
    reference: Annotated[Path | None, typer.Option(help="The real video of the same speech.")] = None,
    transcript: Annotated[
        Path | None, typer.Option(help="The English text that is said, or phones with times.")
    ] = None,
    lse: Annotated[
        str | None, typer.Option(help="SyncNet's protocol, with its weights: tracks (default), frames or both.")
    ] = None,
    face_boxes: Annotated[
        Path | None, typer.Option(help="Face boxes for it, one per frame at 25 fps (npz or JSON).")
    ] = None,
    json: Annotated[str | None, typer.Option(help="Write the scores to this JSON file (- for stdout).")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a report with pictures to this file.")] = None,
    protocol: Annotated[
        str | None, typer.Option(help="self, cross or truth (true landmarks: the renderer alone).")
    ] = None,
    persona: Annotated[Path | None, typer.Option(help="Persona for --protocol.")] = None,
    audio: Annotated[str | None, typer.Option(help="Held-out stretch whose sound is spoken, as 57-64.")] = None,
    picture: Annotated[str | None, typer.Option(help="cross: stretch of the same length to speak over.")] = None,
    renderer: Annotated[str | None, typer.Option(help="Another of the persona's renderers, such as memory.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Keep the video that a protocol makes.")] = None,
) -> None:
    """Measure how well the mouth fits the speech and, with a reference, the real mouth."""
    with kept("nothing was written; run the same command again"):
        if protocol is not None:
            if any(option is not None for option in (reference, transcript, lse, face_boxes)):
                raise ConfigError(
                    "--protocol takes its truth from the footage; leave out --reference, --transcript, --lse and "
                    "--face-boxes"
                )
            result = _protocol(video, protocol, persona, audio, picture, renderer, out)
        else:
            if any(option is not None for option in (persona, audio, picture, renderer, out)):
                raise ConfigError(
                    "--persona, --audio, --picture, --renderer and --out need --protocol self, cross or truth"
                )
            from lipwright.evaluate.video import evaluate

            said = None if transcript is None else read_transcript(transcript)
            given = {"lse": lse, "face_boxes": face_boxes}
            options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
            result = evaluate(video, reference=reference, transcript=said, **options)
        if html is not None:
            result.write_html(html)
        if json is not None:
            write_json(json, result.to_json())
    if json != "-":
        print(result)


def _protocol(
    footage: Path,
    name: str,
    persona: Path | None,
    audio: str | None,
    picture: str | None,
    renderer: str | None,
    out: Path | None,
) -> Evaluation:
    if name not in PROTOCOLS:
        raise ConfigError(f"unknown protocol '{name}'; choose from {', '.join(PROTOCOLS)}")
    spoken, shown = stretch(audio, "--audio"), stretch(picture, "--picture")
    if persona is None or spoken is None or (name == "cross") != (shown is not None):
        wanted = "--persona, --audio and --picture" if name == "cross" else "--persona and --audio (no --picture)"
        raise ConfigError(f"--protocol {name} needs {wanted}, for example --audio 57-64")
    from lipwright.evaluate.protocols import run_cross, run_self
    from lipwright.evaluate.speakers import PersonaSpeaker
    from lipwright.synthesis.speaker import Persona

    speak = PersonaSpeaker(Persona.load(persona_path(str(persona))), renderer=renderer, replay=name == "truth")
    if shown is not None:
        return run_cross(speak, footage, spoken, shown, out)
    return run_self(speak, footage, *spoken, out, protocol=name)
