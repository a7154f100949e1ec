"""`lipwright demo`: the whole main job on the bundled presenter, nothing downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lipwright.cli.assets import ASSETS, PRESENTER
from lipwright.cli.interrupt import kept
from lipwright.cli.output import print_json
from lipwright.core.bars import Bars
from lipwright.core.errors import DependencyError, FootageError

if TYPE_CHECKING:
    from lipwright.metrics.lips import Phone
    from lipwright.synthesis.speaker import Persona
    from lipwright.synthesis.speaking import Speaking

SENTENCE = "Good evening. Nobody filmed these words: my picture was made from the sound alone."
"""Not among the sentences the presenter was rendered with."""
SPOKEN = ASSETS / "demo_speech.wav"
"""The same sentence as a file, for machines without a text-to-speech program."""


def command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for everything that is made.")] = Path("demo-out"),
    budget: Annotated[str, typer.Option(help="Time to train.")] = "3m",
    text: Annotated[str, typer.Option(help="What the presenter says, in English.")] = SENTENCE,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Prepare, train, speak and evaluate on the presenter that ships; a second run reuses the first."""
    if not PRESENTER.exists():
        raise FootageError(f"the bundled presenter {PRESENTER} is missing; install lipwright again")
    what = f"what was made so far is kept in {out}; run the same command again to continue"
    video = out / "demo.mp4"
    with kept(what), Bars() as bars:
        persona = _persona(out, budget, bars)
        speaking, phones = _speak(persona, text)
        try:
            speaking.write(video, progress=bars)
        finally:
            speaking.close()
        from lipwright.evaluate.video import evaluate

        bars.start("evaluate", None)
        scores = evaluate(video, transcript=phones)
        scores.write_json(out / "demo.json")
        scores.write_html(out / "demo.html")
        bars.finish()
    if json:
        print_json({"video": video, "persona": out / "presenter.persona", "scores": scores.to_json()})
        return
    print(scores)
    print(f"Video: {video}")
    print(f"Report: {out / 'demo.html'}")
    print(f'Next: lipwright speak {out / "presenter.persona"} --text "..." -o mine.mp4')


def _persona(out: Path, budget: str, bars: Bars) -> Persona:
    folder = out / "presenter.persona"
    if (folder / "persona.json").exists():
        from lipwright.synthesis.speaker import Persona

        loaded: Persona = Persona.load(folder)
        return loaded
    from lipwright.recipes.train import train
    from lipwright.subject.prepare import prepare

    subject = prepare(PRESENTER, out / "presenter.subject", progress=bars)
    return train(subject, out=folder, budget=budget, resume=True, progress=bars)


def _speak(persona: Persona, text: str) -> tuple[Speaking, tuple[Phone, ...] | None]:
    """The speech over the persona's template, and its phones where the speech engine tells them."""
    from lipwright.metrics.lips import Phone
    from lipwright.speech.tts import synthesise

    try:
        spoken = synthesise(text)
    except DependencyError:
        if text != SENTENCE or not SPOKEN.exists():
            raise
        return persona.speak(SPOKEN), None
    phones = tuple(Phone(p.symbol, p.start_s, p.end_s) for p in spoken.phones or ())
    return persona.speak(text=text), phones or None
