"""`lipwright demo`: the whole main job on the bundled presenter, nothing downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lipwright.cli.assets import ASSETS, PRESENTER
from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_json, write_json
from lipwright.cli.progress import Bars
from lipwright.core.errors import DependencyError, FootageError

SENTENCE = "Good evening. Nobody filmed these words: the picture was made from the sound alone."
"""Not among the sentences the presenter was rendered with."""
SPOKEN = ASSETS / "demo_speech.wav"
"""The same sentence as a file, for machines without a text-to-speech program."""


def command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for everything that is made.")] = Path(
        "demo-out"
    ),
    budget: Annotated[str, typer.Option(help="Time to train.")] = "5m",
    text: Annotated[str, typer.Option(help="What the presenter says.")] = SENTENCE,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Prepare, train, speak and evaluate on the presenter that ships; a second run reuses the first."""
    if not PRESENTER.exists():
        raise FootageError(f"the bundled presenter {PRESENTER} is missing; install lipwright again")
    what = f"what was made so far is kept in {out}; run the same command again to continue"
    with kept(what), Bars() as bars:
        persona = _persona(out, budget, bars)
        video = out / "demo.mp4"
        _speak(persona, text).write(video, progress=bars)
        scores = _evaluate(video, text, out)
    if json:
        print_json({"video": video, "persona": out / "presenter.persona", "report": out / "demo.html"})
        return
    print(scores)
    print(f"Video: {video}")
    print(f'Next: lipwright speak {out / "presenter.persona"} --text "..." -o mine.mp4')


def _persona(out: Path, budget: str, bars: Bars) -> Any:
    folder = out / "presenter.persona"
    if (folder / "persona.json").exists():
        from lipwright.recipes.open import Persona

        return Persona.load(folder)
    from lipwright.recipes.train import train
    from lipwright.subject.prepare import prepare

    subject = prepare(PRESENTER, out / "presenter.subject", progress=bars)
    return train(subject, out=folder, budget=budget, progress=bars)


def _speak(persona: Any, text: str) -> Any:
    try:
        return persona.speak(text=text)
    except DependencyError:
        if text != SENTENCE or not SPOKEN.exists():
            raise
        return persona.speak(SPOKEN)


def _evaluate(video: Path, text: str, out: Path) -> Any:
    import json

    from lipwright.evaluate.video import evaluate

    scores = evaluate(video, transcript=text)
    data = scores.to_json()
    write_json(str(out / "demo.json"), json.loads(data) if isinstance(data, str) else data)
    scores.write_html(out / "demo.html")
    return scores
