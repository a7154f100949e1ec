"""Which face to follow when there are several: tracklets within shots, persons across shots, a ranked list.

Within a shot a face is where it just was and as large as it just was. Across shots persons are joined by
`face.likeness`, never two that are seen at the same time. The first of the list is the largest and steadiest
over the whole footage, so a passer-by who is near the camera for a second is not it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.core.errors import FootageError
from lipwright.face.likeness import SAME, SAME_IN_PLACE, Likeness, distance, likeness

Box = tuple[float, float, float, float]

_REACH = 0.7
"""A face is the same one when its middle moved by less than this share of its width (more after a gap)."""
_SIZE = 1.5
"""... and its width changed by less than this factor."""
_GAP_S = 0.6
"""A face may be gone for so long and still be the same by its place alone."""
_LIKENESS_FRAMES = 20
_MIN_LIKENESS = 5
"""Frames; shorter tracklets are too little to compare."""
_STRAY_SHARE = 0.02
"""Persons seen in fewer frames are not offered, unless there is nobody else."""


class Faces(Protocol):
    """Every face of T frames, at most F in each, in any order; meshes may lie on disk."""

    confidence: F32
    """(T, F), 0 where there is none."""

    def boxes(self) -> F32:
        """(T, F, 4) x0, y0, x1, y1 px of the meshes; NaN where there is none."""

    def at(self, frame: int, place: int) -> tuple[F32, U8]:
        """Mesh (478, 3) px and `face.skin` (P, 3) of one face."""


@dataclass(frozen=True)
class Person:
    """One person of the footage, for the report and a contact sheet."""

    index: NDArray[np.int_]
    """(T,) which face of each frame; -1 where the person is not seen."""
    share: float
    """Share of all frames in which the person is seen."""
    box: Box
    """(x0, y0, x1, y1) px, the median over the frames."""
    best_frame: int
    """A frame that shows the person large and from the front."""
    best_box: Box
    """Where, in that frame."""
    score: float
    """What the list is sorted by; higher is earlier."""


@dataclass
class _Tracklet:
    frames: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


def choose_track(
    faces: Faces,
    size: tuple[int, int],
    fps: float,
    shots: Sequence[tuple[int, int]],
    pick: int | Box | None = None,
) -> tuple[NDArray[np.int_], list[Person]]:
    """The face to follow, and everybody.

    Args:
        faces: of all T frames.
        size: (width, height) px of the frames.
        fps: frames per second.
        shots: [start, stop) stretches without a cut.
        pick: None for the first of the list, a number for another, or (x0, y0, x1, y1) px for the person whose
            face lies in that box first.

    Returns:
        (T,) index of the followed face in each frame or -1, and the ranked persons.

    FootageError when there is no such person.
    """
    boxes = faces.boxes()
    tracklets = [t for shot in shots for t in _follow(boxes, shot, fps)]
    groups = _persons(tracklets, faces, boxes, fps)
    everybody = sorted((_person(group, boxes, len(boxes), size, fps) for group in groups), key=lambda p: -p.score)
    ranked = [p for p in everybody if p.share >= _STRAY_SHARE] or everybody[:1]
    nobody = np.full(len(boxes), -1)
    if isinstance(pick, tuple):
        return _in_box(everybody, boxes, pick).index, ranked
    wanted = pick or 0
    if not ranked and pick is None:
        return nobody, []
    if not 0 <= wanted < len(ranked):
        raise FootageError(
            f"--face {wanted}: {len(ranked)} {'person is' if len(ranked) == 1 else 'persons are'} seen in the "
            "footage; numbers begin at 0, or give the place of the face with --box"
        )
    return ranked[wanted].index, ranked


def _follow(boxes: F32, shot: tuple[int, int], fps: float) -> list[_Tracklet]:
    """Tracklets of one shot: nearest first, each face in one tracklet, sizes must agree."""
    done: list[_Tracklet] = []
    live: list[_Tracklet] = []
    for t in range(*shot):
        live, ended = (
            [k for k in live if t - k.frames[-1] <= _GAP_S * fps],
            [k for k in live if t - k.frames[-1] > _GAP_S * fps],
        )
        done += ended
        free = [int(f) for f in np.flatnonzero(np.isfinite(boxes[t, :, 0]))]
        pairs = sorted(
            (cost, k, f)
            for k, tracklet in enumerate(live)
            for f in free
            if (cost := _cost(boxes, tracklet, t, f, fps)) is not None
        )
        taken: set[int] = set()
        for _, k, f in pairs:
            if f in free and k not in taken:
                taken.add(k)
                free.remove(f)
                live[k].frames.append(t)
                live[k].places.append(f)
        live += [_Tracklet([t], [f]) for f in free]
    return done + live


def _cost(boxes: F32, tracklet: _Tracklet, t: int, f: int, fps: float) -> float | None:
    """Distance in face widths plus size change; None when it cannot be the same face."""
    last, here = boxes[tracklet.frames[-1], tracklet.places[-1]], boxes[t, f]
    width = float(last[2] - last[0])
    growth = float(here[2] - here[0]) / max(width, 1e-3)
    move = float(np.hypot(here[0] + here[2] - last[0] - last[2], here[1] + here[3] - last[1] - last[3])) / 2
    gap_s = (t - tracklet.frames[-1] - 1) / fps
    if move > (_REACH + gap_s) * width or not 1 / _SIZE < growth < _SIZE:
        return None
    return move / max(width, 1e-3) + abs(float(np.log(growth)))


def _persons(tracklets: list[_Tracklet], faces: Faces, boxes: F32, fps: float) -> list[list[_Tracklet]]:
    """Join tracklets, longest first, each to the most alike person so far that is not seen at the same time."""
    groups: list[list[_Tracklet]] = []
    known: list[list[Likeness]] = []
    for tracklet in sorted(tracklets, key=lambda k: -len(k.frames)):
        mine = _likeness(tracklet, faces) if len(tracklet.frames) >= _MIN_LIKENESS else None
        best, chosen = np.inf, -1
        for g, group in enumerate(groups):
            if mine is None or not known[g] or any(_together(tracklet, other) for other in group):
                continue
            in_place = any(_in_place(tracklet, other, boxes, fps) for other in group)
            off = min(distance(mine, other) for other in known[g]) / (SAME_IN_PLACE if in_place else SAME)
            if off < min(best, 1):
                best, chosen = off, g
        if chosen < 0:
            groups.append([])
            known.append([])
        groups[chosen].append(tracklet)
        known[chosen] += [mine] if mine is not None else []
    return groups


def _likeness(tracklet: _Tracklet, faces: Faces) -> Likeness:
    chosen = np.linspace(0, len(tracklet.frames) - 1, min(len(tracklet.frames), _LIKENESS_FRAMES)).astype(int)
    where = [(tracklet.frames[k], tracklet.places[k]) for k in chosen]
    seen = [faces.at(t, k) for t, k in where]
    return likeness([mesh for mesh, _ in seen], [colours for _, colours in seen])


def _in_place(a: _Tracklet, b: _Tracklet, boxes: F32, fps: float) -> bool:
    """Whether one goes on soon after the other ended, where it was."""
    first, then = (a, b) if a.frames[0] < b.frames[0] else (b, a)
    soon = then.frames[0] - first.frames[-1] <= _GAP_S * fps
    return soon and _cost(boxes, first, then.frames[0], then.places[0], fps) is not None


def _together(a: _Tracklet, b: _Tracklet) -> bool:
    if a.frames[-1] < b.frames[0] or b.frames[-1] < a.frames[0]:
        return False
    return bool(set(a.frames) & set(b.frames))


def _person(group: list[_Tracklet], boxes: F32, n: int, size: tuple[int, int], fps: float) -> Person:
    index = np.full(n, -1)
    for tracklet in group:
        index[tracklet.frames] = tracklet.places
    seen = np.flatnonzero(index >= 0)
    mine = boxes[seen, index[seen]]
    middle, width = (mine[:, :2] + mine[:, 2:]) / 2, np.maximum(mine[:, 2] - mine[:, 0], 1e-3)
    box, best = np.median(mine, axis=0), int(_clearest(mine, size))
    step = np.linalg.norm(np.diff(middle, axis=0), axis=1) / width[1:] * (np.diff(seen) == 1)
    speed = float(np.median(step)) * fps if len(step) else 0.0
    off = np.linalg.norm((np.median(middle, axis=0) / size - 0.5) * [1.0, 0.5])
    share = len(seen) / max(n, 1)
    # Size counts by its root beyond presence: who is there all the time wins over who is close for a moment.
    score = share * float(np.sqrt(np.median(width) / size[0])) / (1 + 0.5 * speed) * (1 - 0.6 * float(off))
    return Person(index, share, _box(box), int(seen[best]), _box(mine[best]), score)


def _clearest(mine: F32, size: tuple[int, int]) -> int:
    """The largest face that lies inside the picture; faces in profile have narrow meshes, so width decides."""
    inside = (mine[:, :2] >= 0).all(1) & (mine[:, 2] < size[0]) & (mine[:, 3] < size[1])
    return int(np.argmax((mine[:, 2] - mine[:, 0]) * np.where(inside, 1.0, 0.5)))


def _box(values: F32) -> Box:
    x0, y0, x1, y1 = (float(v) for v in values)
    return (x0, y0, x1, y1)


def _in_box(persons: list[Person], boxes: F32, box: Box) -> Person:
    """Whose face lies there first: its middle inside the box; of several at once the one nearest its middle."""
    first: list[tuple[int, float, int]] = []
    for k, person in enumerate(persons):
        seen = np.flatnonzero(person.index >= 0)
        mine = boxes[seen, person.index[seen]]
        x, y = (mine[:, 0] + mine[:, 2]) / 2, (mine[:, 1] + mine[:, 3]) / 2
        inside = np.flatnonzero((x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3]))
        if len(inside):
            at = inside[0]
            off = float(np.hypot(x[at] - (box[0] + box[2]) / 2, y[at] - (box[1] + box[3]) / 2))
            first.append((int(seen[at]), off, k))
    if not first:
        raise FootageError(
            f"no face is ever seen in the box {box[0]:.0f},{box[1]:.0f} to {box[2]:.0f},{box[3]:.0f}; "
            "give x,y,w,h in pixels around a face, or choose by number with --face"
        )
    return persons[min(first)[2]]
