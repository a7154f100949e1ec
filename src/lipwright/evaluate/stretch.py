"""A stretch of footage tracked for as long as something is said over it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from lipwright.subject.prepare import prepare
from lipwright.subject.store import Subject


@contextmanager
def tracked(path: Path, start_s: Fraction, end_s: Fraction, fps: Fraction | None = None) -> Iterator[Subject]:
    """The stretch [start_s, end_s) of a video as a subject, in a temporary folder; its sound is not read.

    `fps` is the rate it is tracked at, the footage's own when None. FootageError when it shows no face.
    """
    trim = float(start_s), float(end_s)
    with tempfile.TemporaryDirectory() as folder:
        yield prepare(path, Path(folder) / "template", fps=fps, trim=trim, need_sound=False)
