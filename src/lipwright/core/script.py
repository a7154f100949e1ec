"""How a `python -m` command of the package ends: as the command line does, without needing its libraries."""

from __future__ import annotations

import sys
from collections.abc import Callable

from lipwright.core.errors import LipwrightError


def run_script(work: Callable[[], object], left: Callable[[], str]) -> int:
    """Exit code of `work`: 0 done, 2 for what the user can mend, 130 interrupted; the last two with one sentence.

    Args: `left` says what an interrupted run leaves behind.
    """
    try:
        work()
    except LipwrightError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted: {left()}", file=sys.stderr)
        return 130
    return 0
