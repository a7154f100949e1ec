"""The verbs, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from lipwright import __version__
from lipwright.cli import (
    bench,
    demo,
    doctor,
    evaluate,
    export,
    fit,
    models,
    pack,
    prepare,
    recipes,
    report,
    speak,
    train,
    train_teacher,
    visemes,
)

app = typer.Typer(
    name="lipwright",
    help="A few minutes of video of one consenting person in; lip-synced video of that person out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing boxes around the help costs half of its time
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (
    prepare, train, train_teacher, pack, fit, speak, visemes, export, evaluate, demo, recipes, doctor, bench, report
):  # fmt: skip
    app.command(verb.__name__.rpartition(".")[2].replace("_", "-"))(verb.command)
app.add_typer(models.app, name="models")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lipwright {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass
