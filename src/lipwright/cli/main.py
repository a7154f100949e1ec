"""`lipwright`: hands over to one verb and turns whatever happens into an exit code.

0 done; 2 usage or bad input, one sentence on stderr; 130 interrupted, one line says what was kept; 1 a
fault of our own, with its traceback.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from typing import Annotated

import typer

from lipwright import __version__
from lipwright.cli import bench, demo, doctor, evaluate, models, prepare, recipes, speak, train
from lipwright.cli.interrupt import Stopped
from lipwright.cli.quiet import NativeNoise, calm_libraries
from lipwright.core.errors import LipwrightError

ISSUES = "https://github.com/lipwright/lipwright/issues"

app = typer.Typer(
    name="lipwright",
    help="A few minutes of video of one consenting person in; lip-synced video of that person out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing boxes around the help costs half of its time
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (prepare, train, speak, evaluate, demo, recipes, doctor, bench):
    app.command(verb.__name__.rpartition(".")[2])(verb.command)
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


def main() -> None:
    """Entry point of the installed program."""
    with NativeNoise() as noise:
        code = run(sys.argv[1:], noise)
    sys.stdout.flush()
    sys.exit(code)


def run(arguments: list[str], noise: NativeNoise | None = None) -> int:
    """Run one command line and return its exit code; prints, never raises."""
    calm_libraries()
    try:
        with warnings.catch_warnings():
            if not sys.warnoptions:
                warnings.simplefilter("ignore")
            app(arguments, prog_name="lipwright")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except Stopped as stop:
        return _say(f"interrupted: {stop}", 130)
    except KeyboardInterrupt:
        return _say("interrupted: nothing was written; run the same command again", 130)
    except LipwrightError as error:
        return _say(f"error: {error}", 2)
    except Exception:
        traceback.print_exc()
        if noise is not None:
            noise.replay()
        return _say(
            f"this is a fault in lipwright {__version__}; please report the lines above at {ISSUES}", 1
        )
    return 0


def _say(line: str, code: int) -> int:
    print(" ".join(line.split()), file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    main()
