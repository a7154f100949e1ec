"""A persona that talks live: sound in, frames out, idling in between.

`push` takes sound in any pieces, `pull` gives the next frame when it can be made. Sound has its place on the stream's
time line as soon as a frame needs it; where none came in time the persona idles, and sound that comes later is shown
later. Every frame carries the sound to be heard with it, so that both stay together whatever happens.

There are no threads but the one that decodes the template, and no clock but the one given.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import SAMPLE_RATE, n_frames, sample_of
from lipwright.core.contracts import F32, Frame, MotionModel, Planning, Renderer
from lipwright.core.errors import ShapeError, SpeechError
from lipwright.core.overlap import DEPTH, ahead
from lipwright.core.threads import one_blas_thread, one_torch_thread
from lipwright.media.resample import Resampler
from lipwright.persona.template import Template
from lipwright.speech.near import SECONDS_BACK
from lipwright.synthesis.drawing import Team, finished
from lipwright.synthesis.near import NearSynthesis
from lipwright.synthesis.setup import Setup
from lipwright.synthesis.timeline import Timeline
from lipwright.synthesis.voice import Voice

_ENDLESS = SAMPLE_RATE * 86_400 * 3650
PATIENCE_S = 0.1
"""Seconds that sound may be late before its place is given to silence."""


@dataclass(frozen=True)
class StreamFrame:
    """One frame of a stream."""

    frame: Frame
    pts: Fraction
    """Seconds from the start of the stream."""
    sound: F32
    """(S,) what is to be heard with it, 16 kHz mono; zeros where nothing is said."""
    idle: bool
    """Whether nothing that was pushed sounds in it."""


class Stream:
    """One live performance; a context manager. Made by `Persona.stream`.

    Args:
        template, motion, renderer: as in `Synthesis`; the renderer is copied.
        fps, extend, lookahead_s: see `NearSynthesis`.
        sample_rate: of the sound that is pushed.
        clock: seconds, rising; None: time does not pass, and frames wait for sound for ever.
        patience_s: how late sound may be.
    """

    def __init__(
        self,
        template: Template,
        motion: MotionModel,
        renderer: Renderer,
        *,
        fps: Fraction | None = None,
        extend: str = "auto",
        lookahead_s: Fraction | float | None = None,
        sample_rate: int = SAMPLE_RATE,
        clock: Callable[[], float] | None = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._line = Timeline(round((SECONDS_BACK + 2) * SAMPLE_RATE))
        self._renderer = copy.copy(renderer)
        self._renderer.reset()
        self._voice = Voice(_ENDLESS, self._line.read, np.zeros(0, np.float32))
        setup = Setup(self._voice, template, motion, self._renderer, fps, extend, workers=1)
        self._made = NearSynthesis(setup, lookahead_s)
        self._team = Team(self._renderer, 1)
        self._pictures = ahead(self._made.pictures(), DEPTH)
        self._resampler = None if sample_rate == SAMPLE_RATE else Resampler(sample_rate)
        self._clock, self._patience_s = clock, patience_s
        self._began_s = clock() if clock is not None else 0.0
        self._next = 0
        self._ended = False
        self._open = ExitStack()
        self._open.enter_context(one_blas_thread())
        self._open.callback(self._stop_decoding)

    @property
    def fps(self) -> Fraction:
        """Frames per second."""
        return self._made.fps

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self._made.size

    @property
    def lookahead_s(self) -> float:
        """A frame needs no sound that is later than this after its beginning."""
        return float(self._made.lookahead_s)

    @property
    def waiting_s(self) -> float:
        """Seconds of sound that were pushed and are in no frame yet."""
        return (self._line.placed + self._line.waiting - sample_of(self._next, self.fps)) / SAMPLE_RATE

    @property
    def short(self) -> int:
        """Samples (16 kHz) that must still be pushed before `pull` gives a frame; 0 when it will."""
        if self._ended:
            return 0
        return max(self._made.needs(self._next) - self._line.placed - self._line.waiting, 0)

    @property
    def done(self) -> bool:
        """Whether all frames of a finished stream were given."""
        return self._ended and self._next >= self._made.n_frames

    def push(self, pcm: NDArray[np.floating] | NDArray[np.int16] | bytes) -> None:
        """More speech: (S,) floats in [-1, 1], (S,) int16 or the bytes of int16, any number of samples.

        ShapeError when there are several channels, SpeechError for numbers that are no sound or after `finish`.
        """
        if self._ended:
            raise SpeechError("this stream was finished; open another one for more speech")
        samples = _mono(pcm)
        self._line.push(samples if self._resampler is None else self._resampler(samples))

    def pull(self) -> StreamFrame | None:
        """The next frame, as soon as its sound has come or is overdue; None when there is nothing to show yet."""
        if self.done:
            return None
        needed = self._made.needs(self._next)
        self._line.place(needed)
        if self._line.spoken < needed and not (self._ended or self._overdue()):
            return None  # silence that was put in for a frame before is no reason to hurry
        self._line.silence(needed)
        return self._frame()

    def ready(self) -> Iterator[StreamFrame]:
        """All frames that can be given now."""
        while (found := self.pull()) is not None:
            yield found

    def finish(self) -> None:
        """No more speech will come: the remaining frames need not wait, and end with the sound."""
        if self._ended:
            return
        if self._resampler is not None:
            self._line.push(self._resampler.finish())
        self._ended = True
        line = self._line
        self._voice.n_samples = line.placed + line.waiting if line.waiting else line.spoken
        self._made.n_frames = max(n_frames(self._voice.n_samples, self.fps), self._next)

    def interrupt(self) -> None:
        """Be quiet now: what was pushed and not shown yet is dropped, and the mouth eases to rest.

        Speech that is pushed afterwards follows at once.
        """
        at = sample_of(self._next, self.fps)
        self._line.cut(at)
        if self._resampler is not None:
            self._resampler.finish()
        self._made.interrupt(self._next, at)
        if isinstance(self._renderer, Planning):
            self._renderer.forget_plans()

    def close(self) -> None:
        """Stop decoding and let go of the template."""
        self._open.close()

    def _stop_decoding(self) -> None:
        close = getattr(self._pictures, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _overdue(self) -> bool:
        if self._clock is None:
            return False
        due_s = float(Fraction(self._next) / self.fps) + self.lookahead_s + self._patience_s
        return self._clock() - self._began_s >= due_s

    def _frame(self) -> StreamFrame:
        t = self._next
        with one_torch_thread():  # drawing may use more
            stretch = self._made.stretch(t)
        with closing(self._made.jobs(stretch, self._pictures, self._team)) as jobs:  # type: ignore[type-var]
            frame = finished(self._renderer, next(jobs))
        self._next += 1
        start, stop = (sample_of(k, self.fps) for k in (t, t + 1))
        return StreamFrame(frame, frame.pts, self._line.read(start, stop), start >= self._line.spoken)


def _mono(pcm: NDArray[np.floating] | NDArray[np.int16] | bytes) -> F32:
    """(S,) float32 in [-1, 1]."""
    given = np.frombuffer(pcm, "<i2") if isinstance(pcm, bytes) else np.asarray(pcm)
    if given.ndim != 1:
        raise ShapeError("pcm", ("S",), given.shape)
    if given.dtype == np.int16:
        return given.astype(np.float32) / np.float32(32768)
    if not np.issubdtype(given.dtype, np.floating):
        raise SpeechError(f"the speech is given as {given.dtype} samples; give floats in [-1, 1] or int16")
    if not np.isfinite(given).all():
        raise SpeechError("the speech holds samples that are not a number or infinite; check how it was made")
    return given.astype(np.float32)
