"""What can be told about footage within seconds, before minutes go into tracking it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from lipwright.core.clock import SAMPLE_RATE, round_half_up
from lipwright.core.errors import FootageError
from lipwright.subject.sound import Track

MIN_SECONDS = 2
_SILENT = 1e-4
"""Peak below which the sound counts as silent (-80 dBFS)."""


def stretch(
    duration_s: Fraction | None, trim: tuple[float, float] | None, source: Path, fps: Fraction
) -> tuple[Fraction, Fraction]:
    """(start, end) in seconds, the start on a whole frame. FootageError outside the file or when too short."""
    length = duration_s or Fraction(0)
    start, end = (Fraction(0), length) if trim is None else (Fraction(str(trim[0])), Fraction(str(trim[1])))
    end = min(end, length) if length else end
    if not 0 <= start < end:
        raise FootageError(
            f"cannot use {float(start):.2f}-{float(end):.2f} s of {source}, which is {float(length):.2f} s long; "
            "choose a stretch inside it"
        )
    if end - start < MIN_SECONDS:
        raise FootageError(
            f"{source} gives {float(end - start):.2f} s of footage; at least {MIN_SECONDS} s are needed, "
            "a minute or more is better"
        )
    return round_half_up(start * fps) / fps, end


def refuse_silence(source: Path, start_s: Fraction, end_s: Fraction, number: int | None = None) -> None:
    """Silent sound is found in a second; tracking the face first would take minutes."""
    for block in Track(source, start_s, round_half_up((end_s - start_s) * SAMPLE_RATE), number).blocks():
        if float(np.abs(block).max(initial=0)) >= _SILENT:
            return
    raise FootageError(f"the audio track of {source} is silent; the person must be heard speaking")
