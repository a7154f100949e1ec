"""Speech over a template, window by window: motion, placement, render, compose.

Windows lie on a fixed grid and carry as much context as the motion model's field, so the result does not
depend on how it is read, and memory does not depend on length. Decoding and motion run ahead, several threads draw
and compose where frames do not depend on each other (`synthesis.drawing`), and encoding runs behind; the queues
between them are short. The result is the same with any number of threads.

Two clocks: motion has the model's own rate, the result has the template's (or the one asked for). Head pose and
cheeks are read from the template at the motion's times, and what the motion model says (wanted landmarks, or windows
of speech for a renderer that hears itself) at the result's times.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lipwright.compose.thumbnails import thumbnail_distance
from lipwright.compose.walk import TemplateWalk
from lipwright.core.clock import n_frames
from lipwright.core.contracts import (
    F32,
    LANDMARKS,
    Conditions,
    FaceTrack,
    Frame,
    Local,
    Renderer,
    RenderWindow,
)
from lipwright.core.ibug import MOUTH_JAW
from lipwright.core.overlap import DEPTH, ahead
from lipwright.core.resample import cubic, linear, positions
from lipwright.core.threads import cores, one_blas_thread, one_thread_each
from lipwright.media.picture import Picture
from lipwright.motion.normalise import place
from lipwright.persona.template import Template
from lipwright.speech.features import FeatureReader
from lipwright.synthesis.drawing import Job, Team, Visible
from lipwright.synthesis.profile import Profile
from lipwright.synthesis.setup import Setup
from lipwright.synthesis.strength import strength

MOTION_BLOCK = 250
"""Frames of motion computed at once: the model's field is 130 frames wide, small blocks would mostly repeat it."""
WINDOW = 25
"""Frames per window: a second; at 4K a window of frames is 600 MB less than a minute's."""


@dataclass(frozen=True)
class Stretch:
    """Result frames [start, stop) and what is wanted of them, some more at the end for renderers that look ahead."""

    start: int
    stop: int
    target: F32
    track: FaceTrack


class Synthesis:
    """One speech over one template: an iterator of composed frames.

    Args:
        setup: what it is made of.
    """

    def __init__(self, setup: Setup) -> None:
        self.voice, self.template = voice, template = setup.voice, setup.template
        self.motion, self.renderer = motion, renderer = setup.motion, setup.renderer
        self.fps: Fraction = setup.fps or template.fps
        self.n_frames = n_frames(voice.n_samples, self.fps)
        self.walk = self._walk(setup.extend, self.n_frames)
        self.workers = setup.workers
        self.profile = Profile()
        self._lock = threading.Lock()
        """Motion is worked out in a thread of its own, and anybody may ask for it."""
        self._reader = FeatureReader(voice.source, motion.info.features, phones=voice.phones)
        self._blocks: dict[int, F32] = {}
        self._led = template.track, self.walk
        """Whose head is shown, and which of its frames the result's frames show."""
        self._strength = strength(template.track, template.fps)
        self._seen = footprint(renderer, template)

    def _walk(self, extend: str, count: int | None) -> TemplateWalk:
        template = self.template
        same = thumbnail_distance(lambda i: template.store.frame(template.first + i), template.track)
        return TemplateWalk.through(template.track, count, template.fps, self.fps, extend, same)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the result."""
        return self.template.size

    def __iter__(self) -> Iterator[Frame]:
        return self.frames(Profile())

    def frames(self, profile: Profile) -> Iterator[Frame]:
        """The composed frames in order; counts in `profile`, which becomes the own one."""
        self.profile = profile
        renderer = copy.copy(self.renderer)  # several iterations may run side by side: each has its own state
        renderer.reset()
        team = Team(renderer, self.workers or cores())
        try:
            # Alone, a frame may have all cores, but never BLAS: see `core.threads`.
            alone = one_thread_each() if len(team) > 1 else one_blas_thread()
            with alone, closing(team.run(self._jobs(team, profile), profile)) as finished:  # type: ignore[type-var]
                for frame in finished:
                    profile.frames += 1
                    yield frame
        finally:
            profile.stop()

    def _jobs(self, team: Team, profile: Profile) -> Iterator[Job]:
        """What is to be drawn and composed, frame by frame."""
        reading = ahead(self.pictures(), DEPTH, profile.inside("decode"), profile.at("decoded pictures"))
        wanting = ahead(self._stretches(team.lookahead), 2, profile.inside("motion"), profile.at("wanted motion"))
        with closing(reading) as pictures, closing(wanting) as stretches:  # type: ignore[type-var]
            for stretch in stretches:
                yield from self.jobs(stretch, pictures, team)

    def _stretches(self, lookahead: int) -> Iterator[Stretch]:
        """What is wanted of all frames, window by window."""
        for start in range(0, self.n_frames, WINDOW):
            stop = min(start + WINDOW, self.n_frames)
            end = min(stop + lookahead, self.n_frames)
            yield Stretch(start, stop, self.targets(start, end), self._track(start, end))

    def jobs(self, stretch: Stretch, pictures: Iterator[Picture], team: Team) -> Iterator[Job]:
        """The frames of one stretch; takes their pictures."""
        start, stop, target = stretch.start, stretch.stop, stretch.target
        boxes = None if self._seen is None else self.walk.mixed(self._seen, start, stop)
        frames = Visible(pictures, stop - start, boxes)
        window = RenderWindow(frames, stretch.track[: stop - start], target, stretch.track)
        shown = self._led[1].mixed(self._strength, start, stop)
        index, own = self.walk.indices(start, stop), self._own(start, stop)
        heard = self.motion.info.produces != LANDMARKS
        for i, draw in enumerate(team.tasks(window)):
            frames.fill(i)
            about = Frame(
                frames.picture(i), Fraction(start + i) / self.fps, int(index[i]), None if heard else target[i]
            )
            yield Job(draw, frames, i, about, float(shown[i]), bool(own[i]))

    def _own(self, start: int, stop: int) -> NDArray[np.bool_]:
        """(stop - start,) whether nobody else holds the picture of a frame, so that it may be written to."""
        i = self.walk.steps(start - 1, stop + 1).i
        return (i[1:-1] != i[:-2]) & (i[1:-1] != i[2:])

    def targets(self, start: int, stop: int) -> F32:
        """What the renderer is asked for at result frames [start, stop); see `RenderWindow.target`.

        Landmarks run through Catmull-Rom curves, which keep a closure between two frames; speech windows are read
        on straight lines, which keep them in their range.
        """
        with self._lock:
            return self._targets(start, stop)

    def _targets(self, start: int, stop: int) -> F32:
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

    def pictures(self) -> Iterator[Picture]:
        """The template's pictures of all result frames, in order; what is shown around the head, where that is all."""
        store, first = self.template.store, self.template.first
        # One thread: more would stand beside those that draw, and a picture takes far less than drawing it.
        read, backward = partial(store.pictures, threads=1), partial(store.pictures_backward, threads=1)
        return self.walk.shifted(first).frames(read, backward, self.n_frames, Picture.mixed)

    def _track(self, start: int, stop: int) -> FaceTrack:
        """The face as result frames [start, stop) show it."""
        own, walk = self._led
        track = own[walk.indices(start, stop)]
        points, pose = (walk.mixed(v, start, stop) for v in (own.landmarks_px, own.pose_rad))
        contour = None if own.contour_px is None else walk.mixed(own.contour_px, start, stop)
        return replace(track, landmarks_px=points, pose_rad=pose, contour_px=contour)


class Replay(Synthesis):
    """Says what the template itself says, by its own tracked landmarks: measures a renderer alone."""

    def targets(self, start: int, stop: int) -> F32:
        """(stop - start, 29, 2) the template's own mouth and jaw."""
        return self.walk.mixed(self.template.track.landmarks_px, start, stop)[:, MOUTH_JAW]


def footprint(renderer: Renderer, template: Template) -> F32 | None:
    """(T, 4) what the renderer reads of every template frame; None: all of it."""
    if not isinstance(renderer, Local):
        return None
    return renderer.footprint(template.track).astype(np.float32)
