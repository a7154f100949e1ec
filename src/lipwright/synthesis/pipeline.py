"""Speech over a template, window by window: motion, placement, render, compose.

Windows lie on a fixed grid and carry as much context as the motion model's field, so the result does not
depend on how it is read, and memory does not depend on length. Decoding runs ahead and encoding behind.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from lipwright.compose.paste import paste
from lipwright.compose.playhead import blend_rgb8
from lipwright.compose.walk import TemplateWalk
from lipwright.core.clock import n_frames
from lipwright.core.contracts import (
    F32,
    U8,
    Conditions,
    FaceTrack,
    Frame,
    MotionModel,
    Renderer,
    RenderWindow,
)
from lipwright.core.errors import PairingError
from lipwright.core.ibug import MOUTH_JAW
from lipwright.core.overlap import ahead
from lipwright.face.smooth import runs
from lipwright.motion.normalise import place
from lipwright.persona.template import Template
from lipwright.speech.features import FeatureReader
from lipwright.synthesis.voice import Voice

MOTION_BLOCK = 250
"""Frames of motion computed at once: the model's field is 130 frames wide, small blocks would mostly repeat it."""
WINDOW = 25
"""Frames per window: a second; at 4K a window of frames is 600 MB less than a minute's."""
_FADE = 5
"""Frames over which the generated mouth fades where the template's face is lost or found."""


@dataclass
class Profile:
    """Seconds spent in each stage, for `--profile`."""

    seconds: dict[str, float] = field(default_factory=dict)
    frames: int = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time inside as `name`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def table(self) -> dict[str, float]:
        """Milliseconds per frame by stage."""
        return {name: 1000 * s / max(self.frames, 1) for name, s in self.seconds.items()}


class Synthesis:
    """One speech over one template: an iterator of composed frames."""

    def __init__(self, voice: Voice, template: Template, motion: MotionModel, renderer: Renderer) -> None:
        self.voice, self.template, self.motion, self.renderer = voice, template, motion, renderer
        self.fps: Fraction = template.fps
        if self.fps != motion.info.fps:
            raise PairingError(
                f"{template.path} has {float(self.fps):g} frames a second and the persona moves at "
                f"{float(motion.info.fps):g}; prepare that footage again without a frame rate"
            )
        self.n_frames = n_frames(voice.n_samples, self.fps)
        self.walk = TemplateWalk.through(template.track, self.n_frames)
        self.profile = Profile()
        self._reader = FeatureReader(voice.source, motion.info.features, phones=voice.phones)
        self._blocks: dict[int, F32] = {}
        self._strength = blend_strength(template.track.present)

    def __iter__(self) -> Iterator[Frame]:
        renderer = copy.copy(self.renderer)  # several iterations may run side by side: each has its own state
        renderer.reset()
        self.profile = Profile()
        walk, store = self.walk.shifted(self.template.first), self.template.store
        pictures = ahead(walk.frames(store.read, store.backward, self.n_frames, blend_rgb8))
        for start in range(0, self.n_frames, WINDOW):
            stop = min(start + WINDOW, self.n_frames)
            with self.profile.stage("decode"):
                frames = [next(pictures) for _ in range(start, stop)]
            with self.profile.stage("motion"):
                target = self.targets(start, min(stop + renderer.lookahead, self.n_frames))
            yield from self._compose(renderer, start, frames, target)

    def targets(self, start: int, stop: int) -> F32:
        """(stop - start, 29, 2) wanted landmarks in template pixels for result frames [start, stop)."""
        pieces = []
        for index in range(start // MOTION_BLOCK, (stop - 1) // MOTION_BLOCK + 1):
            first = index * MOTION_BLOCK
            pieces.append(self._block(index)[max(start - first, 0) : stop - first])
        return np.concatenate(pieces)

    def _block(self, index: int) -> F32:
        """Landmarks of one motion block; the last two are kept, because renderers look ahead."""
        if index not in self._blocks:
            start, halo = index * MOTION_BLOCK, self.motion.info.halo
            features = self._reader.read(start - halo, MOTION_BLOCK + 2 * halo)
            where = self.walk.indices(start - halo, start + MOTION_BLOCK + halo)
            held = self.template.conditions
            moved = self.motion.predict(features, Conditions(held.pose_rad[where], held.cheeks[where]))
            shown = where[halo : halo + MOTION_BLOCK]
            placed = place(moved[halo : halo + MOTION_BLOCK], self.template.centre_px[shown], self.template.scale_px)
            self._blocks = {k: v for k, v in self._blocks.items() if k == index - 1} | {index: placed}
            return placed
        return self._blocks[index]

    def _compose(self, renderer: Renderer, start: int, frames: list[U8], target: F32) -> Iterator[Frame]:
        shown = self.walk.indices(start, start + len(target))
        track: FaceTrack = self.template.track
        window = RenderWindow(frames, track[shown[: len(frames)]], target, track[shown])
        patches = renderer.render(window)
        for i, frame in enumerate(frames):
            with self.profile.stage("render"):
                patch = next(patches)
            with self.profile.stage("compose"):
                rgb8 = paste(frame, patch, float(self._strength[shown[i]]))
            self.profile.frames += 1
            yield Frame(rgb8, Fraction(start + i) / self.fps, int(shown[i]), target[i])


class Replay(Synthesis):
    """Says what the template itself says, by its own tracked landmarks: measures a renderer alone."""

    def targets(self, start: int, stop: int) -> F32:
        """(stop - start, 29, 2) the template's own mouth and jaw."""
        return self.template.track.landmarks_px[self.walk.indices(start, stop)][:, MOUTH_JAW]


def blend_strength(present: np.ndarray) -> F32:
    """(T,) 1 where a face is seen, 0 where not, fading over a few frames inside the seen stretches."""
    strength = np.zeros(len(present), np.float32)
    for start, stop in runs(present):
        inside = np.arange(stop - start)
        rise = np.ones(stop - start) if start == 0 else (inside + 1) / (_FADE + 1)
        fall = np.ones(stop - start) if stop == len(present) else (inside[::-1] + 1) / (_FADE + 1)
        strength[start:stop] = np.minimum(1, np.minimum(rise, fall))
    return strength
