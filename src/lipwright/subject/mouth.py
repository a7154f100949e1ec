"""The mouth points of all frames refined (face.mouth), a few frames in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.face.mouth.crop import MouthCrop
from lipwright.face.mouth.refine import MouthRefiner, references
from lipwright.media.picture import Picture
from lipwright.media.store import FrameStore
from lipwright.subject.trace import ReadPoints

_BATCH = 64
_KEPT = 2000
"""Mouths in memory at most, 27 kB each."""
_SPARSE = 30
"""Frames between two wanted ones from which looking for each is faster than decoding all between them."""


def refine_mouths(
    videos: Sequence[Path],
    read: ReadPoints,
    write: Callable[[int, F32], None],
    good: NDArray[np.bool_],
    size: tuple[int, int],
    fps: float,
    tick: Callable[[int], None] = lambda done: None,
) -> bool:
    """Refine the mouth points of all good frames; False, and nothing changed, when they are too few.

    Args:
        videos: the frames, in consecutive files.
        read: tracked landmarks of any stretch.
        write: takes (first frame, (n, 68, 2)) for every stretch with changes.
        good: (T,) frames to learn from and to refine.
        size: (width, height) of the frames.
        tick: called with the number of frames done.
    """
    chosen, every = references(good), np.flatnonzero(good)
    if not len(chosen):
        return False
    tracked = np.concatenate([read(t, t + 1) for t in chosen])
    crop = MouthCrop.fit(tracked)

    def cuts(wanted: NDArray[np.integer]) -> Iterator[tuple[int, U8]]:
        for number, picture in _pictures(videos, wanted):
            yield number, crop.cut(picture, read(number, number + 1)[0], size)

    # Footage of a minute is decoded once; of longer footage first the references, later everything.
    kept = dict(cuts(every if len(every) <= _KEPT else chosen))
    refiner = MouthRefiner.fit(crop, np.stack([kept[t] for t in chosen.tolist()]), chosen, tracked, fps)
    if refiner is None:
        return False
    crops = iter(kept.items()) if len(kept) == len(every) else cuts(every)
    while batch := list(islice(crops, _BATCH)):
        numbers = np.array([t for t, _ in batch])
        first, stop = int(numbers[0]), int(numbers[-1]) + 1
        points = read(first, stop)
        points[numbers - first] = refiner(numbers, np.stack([crop for _, crop in batch]), points[numbers - first])
        write(first, points)
        tick(stop)
    return True


def _pictures(videos: Sequence[Path], wanted: NDArray[np.integer]) -> Iterator[tuple[int, Picture]]:
    """(frame number, picture) of the wanted frames, rising."""
    before = 0
    for path in videos:
        store = FrameStore(path)
        here = wanted[(wanted >= before) & (wanted < before + len(store))] - before
        gaps = np.flatnonzero(np.diff(here, prepend=-_SPARSE - 1) > _SPARSE)
        for a, b in pairwise([*gaps.tolist(), len(here)]):
            group = here[a:b]
            first, keep = int(group[0]), set(group.tolist())
            for number, picture in enumerate(store.pictures(first, int(group[-1]) - first + 1), first):
                if number in keep:
                    yield before + number, picture
        before += len(store)
