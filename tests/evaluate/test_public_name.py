"""`lipwright.evaluate` is a function to its users and a room to its parts."""

from __future__ import annotations

import subprocess
import sys


def test_the_public_name_can_be_called_whatever_was_imported_before() -> None:
    code = (
        "import lipwright as lw, lipwright.core.errors as e\n"
        "def call():\n"
        "    try: lw.evaluate('/nowhere.mp4')\n"
        "    except e.FootageError as error: print('asked for', error)\n"
        "call()\n"
        "import lipwright.evaluate.sheet\n"
        "call()\n"
        "import lipwright.evaluate.result as r\n"
        "print(r.Row)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("asked for") == 2
    assert "result.Row" in done.stdout
