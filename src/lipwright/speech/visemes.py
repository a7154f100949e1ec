"""Speech as 34 viseme curves in [0, 1] at the video rate: the `SpeechFeature` 'visemes'.

Source: the cross-modal paper's k = 34 (its channels and timing are recalled, not published; see `channels`).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from lipwright.core.clock import FPS
from lipwright.core.contracts import F32
from lipwright.speech.channels import CHANNELS
from lipwright.speech.exact import PhoneTime
from lipwright.speech.source import SampleSource

__all__ = ["CHANNELS", "Visemes"]


class Visemes:
    """34 viseme channels (`CHANNELS`), one row per video frame, values in [0, 1].

    From phones that are known, else from the recogniser. Frame f is the state at (f + 1/2) / fps.
    """

    name = "visemes"
    dim = len(CHANNELS)
    rate = 1
    block_frames = 250
    halo_frames = block_frames + 100

    def __init__(self, phones: Sequence[PhoneTime] | None = None, fps: Fraction = FPS) -> None:
        self._phones, self._fps = phones, fps

    def block(self, source: SampleSource, index: int) -> F32:
        """(250, 34) rows of the absolute block `index`."""
        raise NotImplementedError
