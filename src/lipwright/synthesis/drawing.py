"""Frames drawn and composed side by side: which work is to be done for each, and the threads that do it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import overload

import numpy as np

from lipwright.compose.paste import paste
from lipwright.core.contracts import F32, U8, Divided, Frame, Independent, Patch, Renderer, RenderWindow
from lipwright.core.overlap import spread
from lipwright.media.picture import Picture
from lipwright.synthesis.profile import Profile

Draw = Callable[[Renderer], Patch]
"""One frame, drawn by the renderer of the thread that does it."""


@dataclass(frozen=True)
class Job:
    """One frame of the result."""

    draw: Draw
    frames: Visible
    index: int
    """Among `frames`."""
    about: Frame
    """The frame with the template's picture still in it."""
    strength: float
    """Of what is drawn over the template."""
    own: bool
    """Whether the template's picture may be written to."""


class Team:
    """The threads that draw for one renderer: several where its frames can be drawn side by side, else one."""

    def __init__(self, renderer: Renderer, most: int) -> None:
        alone = isinstance(renderer, Independent) and renderer.independent
        self._renderer, self._alone = renderer, alone
        self._divided = isinstance(renderer, Divided)
        self._copies = [renderer, *(copy.copy(renderer) for _ in range(most - 1 if alone or self._divided else 0))]

    def __len__(self) -> int:
        return len(self._copies)

    @property
    def lookahead(self) -> int:
        """Frames of future targets that the renderer wants."""
        return self._renderer.lookahead

    def tasks(self, window: RenderWindow) -> Iterator[Draw]:
        """How each frame of a window is drawn; to be taken in order."""
        count = len(window.frames)
        if isinstance(self._renderer, Divided):
            yield from (partial(_given, task) for task in self._renderer.tasks(window))
        elif self._alone:
            yield from (partial(_single, window, i) for i in range(count))
        else:
            patches = self._renderer.render(window)
            yield from (partial(_next, patches) for _ in range(count))

    def run(self, jobs: Iterator[Job], profile: Profile) -> Iterator[Frame]:
        """The finished frames in order."""
        inside, waiting = profile.inside("render"), profile.at("finished frames")
        if len(self) > 1 or self._alone or self._divided:
            workers = [partial(finished, r) for r in self._copies]
            yield from spread(jobs, workers, inside=inside, waiting=waiting)
            return
        # What a frame needs of the one before is drawn in one thread; another one composes meanwhile.
        drawn = spread(jobs, [partial(_drawn, self._renderer)], inside=inside, waiting=profile.at("drawn patches"))
        yield from spread(drawn, [_composed], inside=profile.inside("compose"), waiting=waiting)


def _given(task: Callable[[], Patch], renderer: Renderer) -> Patch:
    return task()


def _single(window: RenderWindow, i: int, renderer: Renderer) -> Patch:
    frames = window.frames
    assert isinstance(frames, Visible)
    until = i + 1 + renderer.lookahead
    part = RenderWindow(
        frames.only(i), window.track[i : i + 1], window.target[i:until], window.lookahead_track[i:until]
    )
    return next(renderer.render(part))


def _next(patches: Iterator[Patch], renderer: Renderer) -> Patch:
    return next(patches)


def _drawn(renderer: Renderer, job: Job) -> tuple[Job, Patch]:
    return job, job.draw(renderer)


def _composed(drawn: tuple[Job, Patch]) -> Frame:
    job, patch = drawn
    job.frames.drop(job.index)
    picture = job.about.picture
    assert isinstance(picture, Picture)
    return replace(job.about, picture=paste(picture, patch, job.strength, job.own))


def finished(renderer: Renderer, job: Job) -> Frame:
    """A job done: its frame drawn and composed."""
    return _composed(_drawn(renderer, job))


class Visible(Sequence[U8]):
    """Template pictures as RGB, read and made when asked for, and only where the renderer looks.

    Args:
        pictures: read in order, as far as is asked for.
        count: how many of them these are.
        boxes: (count, 4) where the renderer looks; None: everywhere.
    """

    def __init__(self, pictures: Iterator[Picture], count: int, boxes: F32 | None) -> None:
        self._pictures, self._count, self._boxes = pictures, count, boxes
        self._read = 0
        self._kept: dict[int, Picture] = {}

    def __len__(self) -> int:
        return self._count

    def fill(self, index: int) -> None:
        """Read as far as picture `index`."""
        while self._read <= index:
            self._kept[self._read] = next(self._pictures)
            self._read += 1

    def picture(self, index: int) -> Picture:
        """Picture `index`, which must have been read and not dropped."""
        return self._kept[index]

    def drop(self, index: int) -> None:
        """Let go of a picture."""
        del self._kept[index]

    def only(self, index: int) -> Sequence[U8]:
        """That one alone."""
        return _Only(self, index)

    @overload
    def __getitem__(self, index: int) -> U8: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[U8]: ...

    def __getitem__(self, index: int | slice) -> U8 | Sequence[U8]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(self._count)[index]
        self.fill(index)
        picture = self._kept[index]
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


class _Only(Sequence[U8]):
    """One of the pictures."""

    def __init__(self, frames: Visible, index: int) -> None:
        self._frames, self._index = frames, index

    def __len__(self) -> int:
        return 1

    @overload
    def __getitem__(self, index: int) -> U8: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[U8]: ...

    def __getitem__(self, index: int | slice) -> U8 | Sequence[U8]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(1))]
        return self._frames[self._index + range(1)[index]]
