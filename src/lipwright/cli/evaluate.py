"""`lipwright evaluate VIDEO...`: every score beside its baselines; several methods; a persona under a protocol."""

from __future__ import annotations

from fractions import Fraction
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
    from lipwright.evaluate.comparison import Comparison
    from lipwright.evaluate.result import Evaluation

PROTOCOLS = ("self", "cross", "truth")


def command(
    videos: Annotated[
        list[Path], typer.Argument(help="Video to judge, or several; with --protocol the person's real footage.")
    ],
    reference: Annotated[Path | None, typer.Option(help="The real video of the same speech.")] = None,
    names: Annotated[list[str] | None, typer.Option("--name", help="Name of each of several videos.")] = None,
    source: Annotated[Path | None, typer.Option(help="The real video whose sound is spoken; with --template.")] = None,
    template: Annotated[Path | None, typer.Option(help="The video that was spoken over; with --source.")] = None,
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
    film = html is not None
    judging = (reference, transcript, lse, face_boxes)
    with kept("nothing was written; run the same command again"):
        if len(videos) > 1 or names:
            alien = {"source": source, "template": template, "protocol": protocol, "persona": persona, "audio": audio}
            alien |= {"picture": picture, "renderer": renderer, "out": out}
            _refuse(alien, "several videos are compared as they are")
            found: Evaluation | Comparison = _compare(videos, names, reference, transcript, lse, face_boxes, film)
        elif source is not None or template is not None:
            alien = {"reference": reference, "transcript": transcript, "lse": lse, "face-boxes": face_boxes}
            alien |= {"protocol": protocol, "persona": persona, "renderer": renderer, "out": out}
            _refuse(alien, "with --source and --template the truth is the sound's own face")
            found = _crossed(videos[0], source, template, audio, picture, film)
        elif protocol is not None:
            if any(option is not None for option in judging):
                raise ConfigError(
                    "--protocol takes its truth from the footage; leave out --reference, --transcript, --lse and "
                    "--face-boxes"
                )
            found = _protocol(videos[0], protocol, persona, audio, picture, renderer, out, film)
        else:
            if any(option is not None for option in (persona, audio, picture, renderer, out)):
                raise ConfigError(
                    "--persona, --audio, --picture, --renderer and --out need --protocol self, cross or truth"
                )
            from lipwright.evaluate.video import evaluate

            options = _options(transcript, lse, face_boxes) | ({"film": True} if film else {})
            found = evaluate(videos[0], reference=reference, **options)
        if html is not None:
            found.write_html(html)
        if json is not None:
            write_json(json, found.to_json())
    if json != "-":
        print(found)


def _refuse(options: dict[str, Any], why: str) -> None:
    given = ", ".join(f"--{name}" for name, value in options.items() if value is not None)
    if given:
        raise ConfigError(f"{why}; leave out {given}")


def _options(transcript: Path | None, lse: str | None, face_boxes: Path | None) -> dict[str, Any]:
    """What was given, by the names of `evaluate`."""
    said = None if transcript is None else read_transcript(transcript)
    given = {"transcript": said, "lse": lse, "face_boxes": face_boxes}
    return {name: value for name, value in given.items() if value is not None}


def _compare(
    videos: list[Path],
    names: list[str] | None,
    reference: Path | None,
    transcript: Path | None,
    lse: str | None,
    face_boxes: Path | None,
    film: bool,
) -> Comparison:
    if reference is None:
        raise ConfigError(f"{len(videos)} videos were given without the real one; name it with --reference")
    called = names or [video.stem for video in videos]
    if len(called) != len(videos):
        raise ConfigError(f"{len(videos)} videos have {len(called)} names; give --name once for each, or never")
    if len({*called}) != len(called):
        raise ConfigError(f"two videos are called {max(called, key=called.count)}; give each its own --name")
    from lipwright.evaluate.comparison import compare_methods
    from lipwright.evaluate.options import Options

    options = Options(**_options(transcript, lse, face_boxes), film=film)
    return compare_methods(dict(zip(called, videos, strict=True)), reference, options)


def _crossed(
    made: Path, source: Path | None, template: Path | None, audio: str | None, picture: str | None, film: bool
) -> Evaluation:
    if source is None or template is None:
        raise ConfigError("--source and --template belong together: whose sound is spoken, and what was spoken over")
    from lipwright.evaluate.protocols import judge_cross
    from lipwright.evaluate.source import Clip

    def part(path: Path, given: str | None, name: str) -> Clip:
        found = stretch(given, name)
        return Clip(path) if found is None else Clip(path, Fraction(str(found[0])), Fraction(str(found[1])))

    return judge_cross(Clip(made), part(source, audio, "--audio"), part(template, picture, "--picture"), film=film)


def _protocol(
    footage: Path,
    name: str,
    persona: Path | None,
    audio: str | None,
    picture: str | None,
    renderer: str | None,
    out: Path | None,
    film: bool,
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
        return run_cross(speak, footage, spoken, shown, out, film=film)
    return run_self(speak, footage, *spoken, out, protocol=name, film=film)
