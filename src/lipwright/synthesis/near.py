"""Speech over a template with a bounded look-ahead: what a stream shows, for a file as well.

Motion is worked out in steps of two frames. What is wanted of a step depends on the speech up to a horizon and on
nothing later (`speech.near`), and each frame is rendered with the plans of a few frames after it. Steps and horizons
lie on a fixed grid, so a recording and a stream of the same sound give the same frames, however the stream was cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from lipwright.compose.walk import TemplateWalk
from lipwright.core.clock import SAMPLE_RATE, sample_of
from lipwright.core.contracts import F32, MotionModel, Renderer, Selective
from lipwright.core.ease import smoothstep
from lipwright.core.errors import ConfigError
from lipwright.speech.near import NearFeatures
from lipwright.synthesis.pipeline import Stretch, Synthesis
from lipwright.synthesis.setup import Setup

STEP = 2
"""Motion frames worked out at once."""
PLANS = 5
"""Frames ahead of which a renderer knows what is wanted, at most."""
HEARS_S = Fraction(11, 25)
"""Speech after the beginning of a step that it hears, unless told otherwise."""
LEAST_S = Fraction(1, 5)
"""The least of it: less than the recogniser needs to hear what sounds now."""
EASE = 6
"""Motion frames from what was said to what is wanted now, where speech was interrupted."""
_KEPT = 256
"""Motion frames that are remembered."""


def plans_of(renderer: Renderer) -> int:
    """Frames ahead of which a renderer is told what is wanted."""
    return min(renderer.lookahead, PLANS)


def rest_s(motion: MotionModel, renderer: Renderer, fps: Fraction) -> Fraction:
    """Seconds of look-ahead that are not for hearing: the renderer's plans, and curves between motion frames."""
    between = Fraction(0) if fps == motion.info.fps else 2 / motion.info.fps
    return plans_of(renderer) / fps + between


class NearSynthesis(Synthesis):
    """`Synthesis` that looks no further ahead than it must.

    Args:
        setup: as for `Synthesis`.
        lookahead_s: a frame depends on no sample later than this after its beginning; the recipe's own when None.

    ConfigError when that is less than it needs or its features cannot be streamed.
    """

    def __init__(self, setup: Setup, lookahead_s: Fraction | float | None = None) -> None:
        super().__init__(setup)
        rest = rest_s(setup.motion, setup.renderer, self.fps)
        asked = rest + HEARS_S if lookahead_s is None else Fraction(lookahead_s).limit_denominator(SAMPLE_RATE)
        if asked < rest + LEAST_S:
            raise ConfigError(
                f"a look-ahead of {float(asked):.3g} s is too short: this persona needs {float(rest + LEAST_S):.3g} s "
                f"at least ({float(rest + HEARS_S):.3g} s is the default)"
            )
        self.lookahead_s = asked
        self.plans = plans_of(setup.renderer)
        self._hears = int((asked - rest) * SAMPLE_RATE)
        self._near = NearFeatures(setup.voice.source, setup.motion.info.features)
        self._rows: dict[int, F32] = {}
        self._eased: tuple[int, F32] | None = None
        """Motion frame from which on speech was interrupted, and what was shown before."""

    def needs(self, frame: int) -> int:
        """Samples that must be known before result frame `frame` can be made."""
        rate = self.motion.info.fps
        row = int((frame + self.plans) * rate / self.fps // 1) + (0 if self.fps == rate else 2)
        return self._horizon(row // STEP)

    def interrupt(self, frame: int, sample: int) -> None:
        """From result frame `frame` on other speech is wanted; samples from `sample` on have changed."""
        first = int(frame * self.motion.info.fps / self.fps // 1)
        before = self._rows.get(first - 1)
        self._rows = {k: v for k, v in self._rows.items() if k < first}
        self._near.forget(sample)
        self._eased = None if before is None else (first, before)

    def _walk(self, extend: str, count: int | None) -> TemplateWalk:
        return super()._walk(extend, None)  # a stream does not know its end

    def _stretches(self, lookahead: int) -> Iterator[Stretch]:
        for t in range(self.n_frames):
            yield self.stretch(t)

    def stretch(self, frame: int) -> Stretch:
        """What is wanted of one frame, with the renderer's plans."""
        end = min(frame + 1 + self.plans, self.n_frames)
        return Stretch(frame, frame + 1, self.targets(frame, end), self._track(frame, end))

    def _horizon(self, step: int) -> int:
        return sample_of(step * STEP, self.motion.info.fps) + self._hears

    def _moved(self, start: int, stop: int) -> F32:
        for row in range(start, stop):
            if row not in self._rows:
                self._work_out(row // STEP)
        return np.stack([self._rows[row] for row in range(start, stop)])

    def _work_out(self, step: int) -> None:
        first, halo = step * STEP, self.motion.info.halo
        features = self._near.read(first - halo, STEP + 2 * halo, self._horizon(step))
        conditions = self._conditions(first - halo, first + STEP + halo)
        if isinstance(self.motion, Selective):
            moved = self.motion.predict_only(features, conditions, halo, halo + STEP)
        else:
            moved = self.motion.predict(features, conditions)[halo : halo + STEP]
        for row, value in enumerate(moved, first):
            self._rows.setdefault(row, self._ease(row, value))
        while len(self._rows) > _KEPT:
            del self._rows[next(iter(self._rows))]

    def _ease(self, row: int, value: F32) -> F32:
        if self._eased is None:
            return value
        first, before = self._eased
        share = float(smoothstep(np.array((row - first + 1) / EASE)))
        return value if share >= 1 else (before + np.float32(share) * (value - before)).astype(np.float32)
