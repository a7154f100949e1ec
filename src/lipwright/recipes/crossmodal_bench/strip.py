"""The "we" strip (paper D, Fig. 7): consecutive generated mouths from w to e."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from lipwright.core.clock import FPS
from lipwright.core.contracts import F32, U8, Conditions, FaceTrack
from lipwright.core.errors import SpeechError
from lipwright.evaluate.sheet import mouth_strip
from lipwright.motion.window import SpeechWindow
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.speech.exact import PhoneTime
from lipwright.speech.features import FeatureReader
from lipwright.speech.source import SampleSource

TEXT = "Here we are, and we see."
_AROUND = 2
"""Frames before the w and after the e."""


def span(phones: Sequence[PhoneTime]) -> tuple[float, float]:
    """(start, end) in seconds of the first w that an i follows; SpeechError when nobody says "we"."""
    for first, second in pairwise(phones):
        if first.symbol.lower() == "w" and second.symbol.lower() in ("iy", "ih", "i"):
            return first.start_s, second.end_s
    raise SpeechError("the speech engine's text holds no w before an i; choose another engine")


def heard(model: SpeechWindow, source: SampleSource, phones: Sequence[PhoneTime] | None, first: int, stop: int) -> F32:
    """(stop - first, window, k) what is heard around video frames [first, stop) of a speech."""
    halo = model.info.halo
    count = stop - first + 2 * halo
    rows = FeatureReader(source, model.info.features, phones=phones).read(first - halo, count)
    still = Conditions(np.zeros((count, 3), np.float32), np.zeros((count, 8, 2), np.float32))
    return model.predict(rows, still)[halo : halo + stop - first]


def silence(model: SpeechWindow, count: int) -> F32:
    """(count, window, k) what is heard when nobody speaks."""
    return heard(model, lambda start, stop: np.zeros(max(stop - start, 0), np.float32), None, 0, count)


def we_strip(
    renderer: CrossModalRenderer,
    model: SpeechWindow,
    heads: FaceTrack,
    source: SampleSource,
    phones: Sequence[PhoneTime],
) -> tuple[U8, int]:
    """The mouths, as large as they are drawn, and how many.

    Args: `heads` give the upper face of the first frames; `source` is 16 kHz speech with known `phones`.
    """
    start_s, end_s = span(phones)
    first, stop = max(int(start_s * FPS) - _AROUND, 0), int(np.ceil(end_s * float(FPS))) + _AROUND
    said = heard(model, source, phones, first, stop)[: len(heads)]
    mouths = []
    for seen, window in zip(renderer.strokes(heads[: len(said)]), said, strict=True):
        mouth = renderer.draw(seen, window)[1]
        assert mouth is not None
        mouths.append(mouth)
    return mouth_strip([mouths], height=192, per_line=6), len(mouths)
