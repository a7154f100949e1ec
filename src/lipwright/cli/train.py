"""`lipwright train SUBJECT/ -o PERSONA/`: subject to persona within a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_json
from lipwright.cli.values import sibling
from lipwright.core.bars import Bars

if TYPE_CHECKING:
    from lipwright.synthesis.speaker import Persona

_SOFT = 0.5
"""Share of the energy of real mouths' finest detail below which drawings look soft."""


def command(
    subject: Annotated[Path, typer.Argument(help="Folder made by `lipwright prepare`.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Persona folder.  [default: SUBJECT.persona]")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="See `lipwright recipes`.  [default: the best for the budget]")
    ] = None,
    preset: Annotated[str, typer.Option(help="Size of the renderer: draft, standard or broadcast.")] = "draft",
    mode: Annotated[
        str | None, typer.Option(help="sewn (mouth and jaw) or full-face.  [default: the recipe's]")
    ] = None,
    budget: Annotated[str, typer.Option(help="Time to spend: 90s, 20m, 2h.")] = "20m",
    steps: Annotated[
        int | None, typer.Option(min=1, help="Optimisation steps of each part, instead of a budget.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of every random draw.")] = 0,
    log_dir: Annotated[Path | None, typer.Option(help="Write TensorBoard logs to this folder.")] = None,
    mouths: Annotated[int, typer.Option(min=10, help="Mouths kept in the appearance memory.")] = 4500,
    template_seconds: Annotated[float, typer.Option(min=1, help="Seconds of footage to speak over.")] = 60,
    change: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE of the renderer's configuration, repeatable.")
    ] = None,
    init: Annotated[
        Path | None, typer.Option(help="Begin the renderer from this persona's, or from pix2pixHD's .pth.")
    ] = None,
    renderer: Annotated[
        Path | None, typer.Option(help="Take this renderer, trained elsewhere from `lipwright pack`.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a persona: how this person's mouth moves with speech, and how it looks."""
    folder = out or sibling(subject, ".persona")
    from lipwright.core.parallel import leads

    with kept(lambda: _kept(folder)), Bars(quiet=not leads()) as bars:
        from lipwright.core.config import settings
        from lipwright.recipes.train import train

        made = train(
            subject,
            out=folder,
            recipe=recipe,
            preset=preset,
            mode=mode,
            budget=budget if steps is None else f"{steps} steps",
            resume=resume,
            device=device,
            seed=seed,
            log_dir=log_dir,
            mouths=mouths,
            template_s=template_seconds,
            settings=settings(change or []),
            init=init,
            renderer=renderer,
            progress=bars,
        )
    if not leads():  # torchrun: the first process reports
        return
    if json:
        print_json({"persona": folder, "subject": subject, "preset": preset, "mode": made.info["mode"]})
    else:
        print(f"Persona: {folder}")
        print(f"Next: lipwright speak {folder} SPEECH.wav -o OUT.mp4")
        _say_if_soft(made)


def _say_if_soft(made: Persona) -> None:
    """A short training draws soft mouths, and whoever sees them may not know that the persona holds sharp ones."""
    drawn = made.info["training"].get("renderer", {}).get("validation", {}).get("mouth_sharpness", 1.0)
    if drawn < _SOFT:
        print(
            f"Its drawings have {drawn:.0%} of the finest detail of real mouths; --renderer memory keeps it, "
            "a longer training gains some"
        )


def _kept(folder: Path) -> str:
    """What an interrupted training leaves behind."""
    work = folder.parent / f".{folder.name}.training"
    if any(path.is_file() for path in work.rglob("*")):
        return f"the last checkpoint is kept beside {folder}; run the same command with --resume to continue"
    return "no checkpoint had been written yet; run the same command again"
