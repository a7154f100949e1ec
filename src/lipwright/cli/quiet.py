"""Native libraries write to the terminal on their own; a user should see only what concerns them."""

from __future__ import annotations

import faulthandler
import os
import sys
import tempfile
from types import TracebackType
from typing import IO

_CALM = {
    "GLOG_minloglevel": "2",
    "GLOG_logtostderr": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "ABSL_MIN_LOG_LEVEL": "2",
    "OPENCV_LOG_LEVEL": "ERROR",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
}
_ALONE = {"OPENBLAS_NUM_THREADS": "1"}
"""See `core.threads`; a variable, because it must be set before numpy is imported."""


def calm_libraries() -> None:
    """Ask the libraries, through their own switches, for errors only and few threads; before they are imported."""
    for name, value in (_CALM | _ALONE).items():
        os.environ.setdefault(name, value)


class NativeNoise:
    """Keeps file descriptor 2 away from the terminal while our own `sys.stderr` stays on it.

    mediapipe's C++ parts print information lines before any of their switches takes effect. They go to a
    temporary file, which `replay` shows when something has gone wrong. LIPWRIGHT_VERBOSE=1 leaves
    everything on the terminal. A crash in native code still prints its Python stack on the terminal.
    """

    def __init__(self) -> None:
        self._log: IO[bytes] | None = None

    def __enter__(self) -> NativeNoise:
        if os.environ.get("LIPWRIGHT_VERBOSE"):
            return self
        try:
            terminal = os.dup(2)
            self._log = tempfile.TemporaryFile(prefix="lipwright.")
            os.dup2(self._log.fileno(), 2)
        except OSError:  # no stderr, or no temporary folder: leave things as they are
            return self
        self._before = sys.stderr
        sys.stderr = os.fdopen(terminal, "w", buffering=1, encoding="utf-8", errors="replace")
        faulthandler.enable(sys.stderr)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._log is None:
            return
        sys.stderr.flush()
        faulthandler.disable()
        os.dup2(sys.stderr.fileno(), 2)
        sys.stderr.close()
        sys.stderr = self._before
        self._log.close()

    def replay(self, most: int = 4000) -> None:
        """Print the last `most` bytes that native code wrote."""
        if self._log is None:
            return
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - most))
        text = self._log.read().decode("utf-8", "replace").strip()
        if text:
            print(f"native messages:\n{text}", file=sys.stderr)
