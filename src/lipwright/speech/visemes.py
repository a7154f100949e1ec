"""Speech as 34 viseme curves in [0, 1] at the video rate: the `SpeechFeature` 'visemes'.

Phones make gestures (`gestures`), gestures make curves (`curves`), loudness moves jaw and lips (`loudness`), and in
pauses (`pauses`) everything rests at exactly 0. Source: the cross-modal paper's k = 34 visemes, which it makes with
JALI from a transcript; channels, timing and the energy of Jaw and Lip are choices, see `channels` and `gestures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import FPS, SAMPLE_RATE, sample_of
from lipwright.core.contracts import F32
from lipwright.core.ease import smoothstep
from lipwright.speech.articulation import STEP_S
from lipwright.speech.channels import CHANNELS, JAW, LIP
from lipwright.speech.curves import sample
from lipwright.speech.exact import PhoneTime
from lipwright.speech.gestures import Gesture, Segment, gestures, known
from lipwright.speech.heard import Hearing, hearing
from lipwright.speech.loudness import STEP, loudness
from lipwright.speech.pauses import SAMPLES_PER_FRAME, Pauses, stretches
from lipwright.speech.phones import Phones
from lipwright.speech.source import SampleSource

__all__ = ["CHANNELS", "Visemes"]

F64 = NDArray[np.float64]
_HEARD_AROUND_S = Phones.context_frames / float(FPS)
"""Speech on either side of a block that the recogniser hears too: the same stretch that `Phones` hears."""
_OPEN_S, _EASE_S = 0.12, 0.08
"""The mouth may move this long before and after sound, and is at rest that much later."""
_QUIET_JAW, _QUIET_LIP = 0.4, 0.6
"""What is left of Jaw and Lip in the quietest speech."""


class Visemes:
    """34 viseme channels (`CHANNELS`), one row per video frame, values in [0, 1].

    From `phones` that are known, else from what a recogniser (`ears`) hears. Frame f is the state at (f + 1/2) / fps.
    """

    name = "visemes"
    dim = len(CHANNELS)
    rate = 1
    block_frames = 250
    halo_frames = block_frames + 200

    def __init__(
        self, phones: Sequence[PhoneTime] | None = None, fps: Fraction = FPS, ears: Hearing | None = None
    ) -> None:
        self._fps = fps
        self._hearing = ears or hearing()
        self._heard: tuple[int, list[Segment]] | None = None
        self._known: list[Gesture] | None = None
        if phones is not None:
            self._known = sorted(gestures(known(phones), self._frame_s), key=lambda g: g.rise_s)
            self._starts = np.array([g.rise_s for g in self._known])
            self._ends = np.maximum.accumulate([g.rest_s for g in self._known] or [0.0])

    @property
    def _frame_s(self) -> float:
        return float(1 / self._fps)

    def block(self, source: SampleSource, index: int) -> F32:
        """(250, 34) rows of the absolute block `index`."""
        first = index * self.block_frames
        times = (np.arange(first, first + self.block_frames) + 0.5) / float(self._fps)
        gate = speaking(source, times)
        if not gate.any():
            return np.zeros((self.block_frames, self.dim), np.float32)
        loud = loud_at(source, times, sample_of(first, self._fps))
        return shown(self._gestures(source, times, index), times, loud, gate)

    def heard(self, source: SampleSource, index: int) -> list[Segment]:
        """What the recogniser hears in block `index` and a second and a half around it; the last answer is kept."""
        if self._heard is None or self._heard[0] != index:
            start_s, end_s = (float(k * self.block_frames / self._fps) for k in (index, index + 1))
            first, last = (round((t + d) / STEP_S) for t, d in ((start_s, -_HEARD_AROUND_S), (end_s, _HEARD_AROUND_S)))
            self._heard = index, self._hearing.segments(source, first, last - first)
        return self._heard[1]

    def _gestures(self, source: SampleSource, times: F64, index: int) -> Sequence[Gesture]:
        if self._known is None:
            return gestures(self.heard(source, index), self._frame_s)
        low = int(np.searchsorted(self._ends, times[0]))
        return self._known[low : int(np.searchsorted(self._starts, times[-1], side="right"))]


def shown(gestures: Sequence[Gesture], times: F64, loud: F64, gate: F64) -> F32:
    """(T, 34) gestures at (T,) times in seconds, as far as (T,) loudness and the gate of speech let them show."""
    values, seal = sample(gestures, times)
    values[:, JAW] *= _QUIET_JAW + (1 - _QUIET_JAW) * loud
    values[:, LIP] *= np.maximum(_QUIET_LIP + (1 - _QUIET_LIP) * loud, seal)
    return np.clip(values * gate[:, None], 0, 1).astype(np.float32)


def loud_at(source: SampleSource, times: F64, first_sample: int, known: int | None = None) -> F64:
    """(T,) loudness at the frames' times; steps lie on one grid of 40 ms, `known` as in `loudness`."""
    step_s = STEP / SAMPLE_RATE
    first = first_sample // (4 * STEP) * 4 - 4
    count = int((times[-1] - times[0]) / step_s) + 24
    return np.interp(times, (np.arange(first, first + count) + 0.5) * step_s, loudness(source, first, count, known))


def speaking(source: SampleSource, times: F64) -> F64:
    """(T,) 1 where somebody speaks at (T,) ascending times in seconds and 0.12 s around, easing to 0 in pauses."""
    frame_s = SAMPLES_PER_FRAME / SAMPLE_RATE
    around = _OPEN_S + _EASE_S
    low, high = int((times[0] - around) / frame_s // 1), int((times[-1] + around) / frame_s // 1) + 1
    pauses, size = Pauses(), Pauses.block_frames
    first = low // size
    silent = np.concatenate([pauses.block(source, k)[:, 0] for k in range(first, (high - 1) // size + 1)]) > 0.5
    return gate_of(silent, first * size, times)


def gate_of(silent: NDArray[np.bool_], first_frame: int, times: F64) -> F64:
    """The same from (N,) frames of 40 ms from `first_frame` in which nobody speaks."""
    frame_s = SAMPLES_PER_FRAME / SAMPLE_RATE
    distance = np.full(len(times), np.inf)
    for a, b in stretches(~silent):
        start_s, end_s = (a + first_frame) * frame_s, (b + first_frame) * frame_s
        np.minimum(distance, np.maximum(np.maximum(start_s - times, times - end_s), 0), out=distance)
    return np.asarray(smoothstep(1 - (distance - _OPEN_S) / _EASE_S))
