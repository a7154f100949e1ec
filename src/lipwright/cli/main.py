"""`lipwright`: hands over to one verb and turns whatever happens into an exit code.

0 done; 2 usage or bad input, one sentence on stderr; 130 interrupted, one line says what was kept; 143
terminated, with unfinished files removed; 1 a fault of our own, with its traceback.

Nothing but the standard library is imported at the top, so that even the first Ctrl-C is answered.
"""

from __future__ import annotations

import signal
import sys
import traceback
import warnings
from types import FrameType

from lipwright import __version__
from lipwright.cli.interrupt import Stopped
from lipwright.cli.quiet import NativeNoise, calm_libraries
from lipwright.core.errors import LipwrightError

ISSUES = "https://github.com/lipwright/lipwright/issues"


def main() -> None:
    """Entry point of the installed program."""
    signal.signal(signal.SIGTERM, _terminate)
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
            from lipwright.cli.app import app

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
        return _say(f"this is a fault in lipwright {__version__}; please report the lines above at {ISSUES}", 1)
    return 0


def _say(line: str, code: int) -> int:
    print(" ".join(line.split()), file=sys.stderr, flush=True)
    return code


def _terminate(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)  # unwinds, so that unfinished files are removed


if __name__ == "__main__":
    main()
