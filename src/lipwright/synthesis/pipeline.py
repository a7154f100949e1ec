"""Speech over a template, window by window: motion, placement, render, compose.

Windows lie on a fixed grid and carry as much context as the motion model's field, so the result does not
depend on how it is read, and memory does not depend on length. Decoding runs ahead and encoding behind.

Two clocks: motion has the model's own rate, the result has the template's (or the one asked for). Head pose and
cheeks are read from the template at the motion's times, and what the motion model says (wanted landmarks, or windows
of speech for a renderer that hears itself) at the result's times.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import overload

import numpy as np
from numpy.typing import NDArray

from lipwright.compose.paste import paste
from lipwright.compose.thumbnails import thumbnail_distance
from lipwright.compose.walk import TemplateWalk
from lipwright.core.clock import n_frames
from lipwright.core.contracts import (
    F32,
    LANDMARKS,
    U8,
    Conditions,
    FaceTrack,
    Frame,
    Local,
    MotionModel,
    Renderer,
    RenderWindow,
)
from lipwright.core.ibug import MOUTH_JAW
from lipwright.core.overlap import ahead
from lipwright.core.resample import cubic, linear, positions
from lipwright.face.smooth import runs
from lipwright.media.picture import Picture
from lipwright.motion.normalise import place
from lipwright.persona.template import Template
from lipwright.speech.features import FeatureReader
from lipwright.synthesis.voice import Voice

MOTION_BLOCK = 250
"""Frames of motion computed at once: the model's field is 130 frames wide, small blocks would mostly repeat it."""
WINDOW = 25
"""Frames per window: a second; at 4K a window of frames is 600 MB less than a minute's."""
_BLINK_S = Fraction(1, 12)
"""Bad moments of a template that are at most this long are spoken over."""
_FADE_S = Fraction(1, 5)
"""Seconds over which the generated mouth fades where the template's face is lost or found."""


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
    """One speech over one template: an iterator of composed frames.

    Args:
        fps: of the result; the template's when None.
        extend: what happens when the speech is longer than the template, see `compose.walk.MODES`.
    """

    def __init__(
        self,
        voice: Voice,
        template: Template,
        motion: MotionModel,
        renderer: Renderer,
        fps: Fraction | None = None,
        extend: str = "auto",
    ) -> None:
        self.voice, self.template, self.motion, self.renderer = voice, template, motion, renderer
        self.fps: Fraction = fps or template.fps
        self.n_frames = n_frames(voice.n_samples, self.fps)
        same = thumbnail_distance(lambda i: template.store.frame(template.first + i), template.track)
        self.walk = TemplateWalk.through(template.track, self.n_frames, template.fps, self.fps, extend, same)
        self.profile = Profile()
        self._reader = FeatureReader(voice.source, motion.info.features, phones=voice.phones)
        self._blocks: dict[int, F32] = {}
        spoken = spoken_over(template.track, round(_BLINK_S * template.fps))
        self._strength = blend_strength(spoken, round(_FADE_S * template.fps))
        self._seen = footprint(renderer, template)

    def __iter__(self) -> Iterator[Frame]:
        renderer = copy.copy(self.renderer)  # several iterations may run side by side: each has its own state
        renderer.reset()
        self.profile = Profile()
        pictures = ahead(self._pictures())
        for start in range(0, self.n_frames, WINDOW):
            stop = min(start + WINDOW, self.n_frames)
            with self.profile.stage("decode"):
                frames = [next(pictures) for _ in range(start, stop)]
            with self.profile.stage("motion"):
                target = self.targets(start, min(stop + renderer.lookahead, self.n_frames))
            yield from self._compose(renderer, start, frames, target)

    def targets(self, start: int, stop: int) -> F32:
        """What the renderer is asked for at result frames [start, stop); see `RenderWindow.target`.

        Landmarks run through Catmull-Rom curves, which keep a closure between two frames; speech windows are read
        on straight lines, which keep them in their range.
        """
        rows, share = positions(start, stop, self.fps, self.motion.info.fps)
        last = n_frames(self.voice.n_samples, self.motion.info.fps) - 1
        around = 0 if self.fps == self.motion.info.fps else 1  # between two motion frames their neighbours count
        first, end = max(int(rows[0]) - around, 0), min(int(rows[-1]) + 1 + 2 * around, last + 1)
        moved, rows = self._moved(min(first, last), max(end, 1)), rows - min(first, last)
        if self.motion.info.produces != LANDMARKS:
            return linear(moved, rows, share)
        points = cubic(moved, rows, share)
        return place(points, self.walk.mixed(self.template.centre_px, start, stop), self.template.scale_px)

    def _moved(self, start: int, stop: int) -> F32:
        """(stop - start, ...) what the model predicts for motion frames [start, stop)."""
        pieces = []
        for index in range(start // MOTION_BLOCK, (stop - 1) // MOTION_BLOCK + 1):
            first = index * MOTION_BLOCK
            pieces.append(self._block(index)[max(start - first, 0) : stop - first])
        return np.concatenate(pieces)

    def _block(self, index: int) -> F32:
        """Predictions of one motion block; the last two are kept, because renderers look ahead."""
        if index not in self._blocks:
            start, halo = index * MOTION_BLOCK, self.motion.info.halo
            features = self._reader.read(start - halo, MOTION_BLOCK + 2 * halo)
            moved = self.motion.predict(features, self._conditions(start - halo, start + MOTION_BLOCK + halo))
            block = moved[halo : halo + MOTION_BLOCK]
            self._blocks = {k: v for k, v in self._blocks.items() if k == index - 1} | {index: block}
            return block
        return self._blocks[index]

    def _conditions(self, start: int, stop: int) -> Conditions:
        """What the template shows at the times of motion frames [start, stop)."""
        rows, share = positions(start, stop, self.motion.info.fps, self.fps)
        first = int(rows[0])
        held = self.template.conditions
        pose, cheeks = (self.walk.mixed(v, first, int(rows[-1]) + 2) for v in (held.pose_rad, held.cheeks))
        return Conditions(linear(pose, rows - first, share), linear(cheeks, rows - first, share))

    def _pictures(self) -> Iterator[Picture]:
        """The template's pictures of all result frames, in order."""
        store, first = self.template.store, self.template.first
        return self.walk.shifted(first).frames(store.pictures, store.pictures_backward, self.n_frames, Picture.mixed)

    def _compose(self, renderer: Renderer, start: int, pictures: list[Picture], target: F32) -> Iterator[Frame]:
        track, seen = self._track(start, start + len(target)), None
        here = self.walk.indices(start, start + len(pictures))
        if self._seen is not None:
            seen = self.walk.mixed(self._seen, start, start + len(pictures))
        window = RenderWindow(Visible(pictures, seen), track[: len(pictures)], target, track)
        patches = renderer.render(window)
        strength = self.walk.mixed(self._strength, start, start + len(pictures))
        for i, picture in enumerate(pictures):
            with self.profile.stage("render"):
                patch = next(patches)
            with self.profile.stage("compose"):
                picture = paste(picture, patch, float(strength[i]))
            self.profile.frames += 1
            asked = target[i] if self.motion.info.produces == LANDMARKS else None
            yield Frame(picture, Fraction(start + i) / self.fps, int(here[i]), asked)

    def _track(self, start: int, stop: int) -> FaceTrack:
        """The template's face as result frames [start, stop) show it."""
        own = self.template.track
        track = own[self.walk.indices(start, stop)]
        points, pose = (self.walk.mixed(v, start, stop) for v in (own.landmarks_px, own.pose_rad))
        contour = None if own.contour_px is None else self.walk.mixed(own.contour_px, start, stop)
        return replace(track, landmarks_px=points, pose_rad=pose, contour_px=contour)


class Replay(Synthesis):
    """Says what the template itself says, by its own tracked landmarks: measures a renderer alone."""

    def targets(self, start: int, stop: int) -> F32:
        """(stop - start, 29, 2) the template's own mouth and jaw."""
        return self.walk.mixed(self.template.track.landmarks_px, start, stop)[:, MOUTH_JAW]


class Visible(Sequence[U8]):
    """Template pictures as RGB, made when asked for, and only where the renderer looks."""

    def __init__(self, pictures: Sequence[Picture], boxes: F32 | None) -> None:
        self._pictures, self._boxes = pictures, boxes

    def __len__(self) -> int:
        return len(self._pictures)

    @overload
    def __getitem__(self, index: int) -> U8: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[U8]: ...

    def __getitem__(self, index: int | slice) -> U8 | Sequence[U8]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        picture = self._pictures[index]
        if self._boxes is None:
            return picture.rgb8()
        width, height = picture.size
        low, high = np.floor(self._boxes[index][:2]).astype(int), np.ceil(self._boxes[index][2:]).astype(int)
        x0, y0 = np.clip(low, 0, (width - 1, height - 1))
        x1, y1 = np.clip(high, (x0 + 1, y0 + 1), (width, height))
        # Memory that is never touched is never given by the system: only the region costs anything.
        frame = np.empty((height, width, 3), np.uint8)
        frame[y0:y1, x0:x1] = picture.rgb8((int(x0), int(y0), int(x1), int(y1)))
        return frame


def footprint(renderer: Renderer, template: Template) -> F32 | None:
    """(T, 4) what the renderer reads of every template frame; None: all of it."""
    if not isinstance(renderer, Local):
        return None
    return renderer.footprint(template.track).astype(np.float32)


def spoken_over(track: FaceTrack, shortest: int) -> NDArray[np.bool_]:
    """(T,) where the mouth is generated: all good frames, and a seen face's bad moments of at most `shortest` frames.

    A cut in the footage is such a moment: showing the template's own mouth for one frame would be seen.
    """
    spoken = track.good.copy()
    for start, stop in runs(~spoken):
        if stop - start <= shortest and track.present[start:stop].all():
            spoken[start:stop] = True
    return spoken


def blend_strength(good: np.ndarray, fade: int) -> F32:
    """(T,) 1 where the face can be spoken over, 0 where not, fading over `fade` frames inside the good stretches."""
    strength = np.zeros(len(good), np.float32)
    for start, stop in runs(good):
        inside = np.arange(stop - start)
        rise = np.ones(stop - start) if start == 0 else (inside + 1) / (fade + 1)
        fall = np.ones(stop - start) if stop == len(good) else (inside[::-1] + 1) / (fade + 1)
        strength[start:stop] = np.minimum(1, np.minimum(rise, fall))
    return strength
