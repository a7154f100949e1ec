"""Which frames can be learnt from and spoken over, and why the others cannot: one mask, one list of reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import FaceTrack
from lipwright.core.ibug import JAW_LINE
from lipwright.face.smooth import runs

Stretches = Sequence[tuple[int, int]]


class Reason(Enum):
    """Why frames are unusable, the first that holds is given; the value is what the report says."""

    DAMAGED = "the file is damaged there"
    BLEND = "the picture fades or is black"
    NO_FACE = "no face is seen"
    OTHER = "somebody else is shown, not the person followed"
    COVERED = "a hand or object covers the mouth"
    CAPTION = "a caption or logo lies over the chin"
    PROFILE = "the head is turned too far, a corner of the mouth is hidden"
    SMALL = "the face is too small to show a mouth"
    LOST = "the face could not be followed with certainty"
    FROZEN = "the picture stands still"
    SHORT = "the shot is too short"
    CUT = "the picture cuts to another shot"


MAX_YAW_DEG = 40.0
"""As `face.pose` measures it (45 degrees in truth): on the presenter the far corner of the mouth is then still
within 2 % of the eye distance, ten degrees further it is off by 5 %, twenty further by 8 %."""
MAX_PITCH_DEG = 30.0
"""As measured (35 to 40 degrees in truth): there the corners' error doubles."""
MIN_WIDTH_PX = 40.0
"""Ear to ear: a mouth is about a third of it, and under 13 px it has no shape."""
MIN_SHOT_S = 1.0
_ISLAND_S = 0.4
"""Usable stretches shorter than this between unusable ones teach nothing and would only flicker."""
_FROZEN_S = 0.4
_LOST_JUMP = 0.12
"""Third difference of the rigid points over the face's width: a mesh that shakes like this follows nothing."""


@dataclass(frozen=True)
class Stretch:
    """Unusable frames with one reason."""

    start: int
    """First frame."""
    stop: int
    """One past the last."""
    reason: Reason

    def sentence(self, fps: float) -> str:
        """For the report: '12.4-13.1 s: a hand or object covers the mouth'."""
        digits = 1 if self.stop - self.start > 0.15 * fps else 2
        return f"{self.start / fps:.{digits}f}-{self.stop / fps:.{digits}f} s: {self.reason.value}"


def usability(
    track: FaceTrack,
    fps: float,
    *,
    shots: Stretches = (),
    transitions: Stretches = (),
    covered: NDArray[np.bool_] | None = None,
    captioned: NDArray[np.bool_] | None = None,
    someone: NDArray[np.bool_] | None = None,
    frozen: NDArray[np.bool_] | None = None,
    damaged: Stretches = (),
) -> tuple[NDArray[np.bool_], list[Stretch]]:
    """Usable frames of a track and the stretches that are not, in order, with reasons.

    Args:
        track: T frames of the person followed.
        fps: frames per second.
        shots: [start, stop) of `face.shots`; none given means one shot.
        transitions: [start, stop) dissolves, fades and black of `face.shots`.
        covered: (T,) of `face.cover`.
        captioned: (T,) of `face.overlay`.
        someone: (T,) frames in which any face at all is seen.
        frozen: (T,) of `frozen_frames`.
        damaged: [start, stop) stretches that could not be decoded.

    Returns:
        (T,) bool, and the complement as stretches. A frame has the first reason of `Reason` that holds.
    """
    n = len(track)
    seen = track.present
    whole = list(shots) or [(0, n)]
    held: dict[Reason, NDArray[np.bool_]] = {
        Reason.DAMAGED: _mask(damaged, n),
        Reason.BLEND: _mask(transitions, n),
        Reason.NO_FACE: ~seen if someone is None else ~seen & ~someone,
        Reason.OTHER: ~seen,
        Reason.COVERED: _or_none(covered, n),
        Reason.CAPTION: _or_none(captioned, n),
        Reason.PROFILE: seen & profile(track),
        Reason.SMALL: seen & (face_width(track) < MIN_WIDTH_PX),
        Reason.LOST: seen & lost(track, whole, fps),
        Reason.FROZEN: _or_none(frozen, n),
        Reason.SHORT: _mask([s for s in whole if s[1] - s[0] < MIN_SHOT_S * fps and len(whole) > 1], n),
        Reason.CUT: _mask([(start - 1, start + 1) for start, _ in whole if 0 < start < n], n),
    }
    order = list(Reason)
    code = np.full(n, len(order))
    for k in range(len(order) - 1, -1, -1):
        code[held[order[k]]] = k
    _fill_islands(code, len(order), fps)
    usable = code == len(order)
    edges = [0, *(np.flatnonzero(np.diff(code)) + 1).tolist(), n]
    stretches = [Stretch(a, b, order[code[a]]) for a, b in pairwise(edges) if a < n and not usable[a]]
    return usable, stretches


def _fill_islands(code: NDArray[np.int_], good: int, fps: float) -> None:
    """Short usable stretches between unusable ones take the reason before them (cuts do not count as such)."""
    for start, stop in runs(code == good):
        if start > 0 and stop < len(code) and stop - start < _ISLAND_S * fps:
            code[start:stop] = code[start - 1]


def _mask(stretches: Stretches, n: int) -> NDArray[np.bool_]:
    mask = np.zeros(n, bool)
    for start, stop in stretches:
        mask[max(start, 0) : max(stop, 0)] = True
    return mask


def _or_none(mask: NDArray[np.bool_] | None, n: int) -> NDArray[np.bool_]:
    return np.zeros(n, bool) if mask is None else mask


def face_width(track: FaceTrack) -> NDArray[np.float32]:
    """(T,) px from ear to ear, undone of yaw, which shortens it."""
    ends = track.landmarks_px[:, [JAW_LINE[0], JAW_LINE[-1]]]
    width = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    return np.asarray(width / np.maximum(np.cos(track.pose_rad[:, 1]), 0.5), np.float32)


def profile(track: FaceTrack) -> NDArray[np.bool_]:
    """(T,) whether the head is turned or tilted beyond what shows the whole mouth."""
    degrees = np.abs(np.degrees(track.pose_rad))
    return np.asarray((degrees[:, 1] > MAX_YAW_DEG) | (degrees[:, 0] > MAX_PITCH_DEG))


def lost(track: FaceTrack, shots: Stretches, fps: float) -> NDArray[np.bool_]:
    """(T,) whether the mesh shakes as no head does, or lies mostly outside the picture."""
    outside = track.confidence < 0.6
    points = track.landmarks_px[:, 27:48].mean(1)
    width = np.maximum(face_width(track), 1.0)
    shaking = np.zeros(len(track), bool)
    for start, stop in shots:
        if stop - start > 4:
            third = np.linalg.norm(np.diff(points[start:stop], n=3, axis=0), axis=1) / width[start + 1 : stop - 2]
            shaking[start + 1 : stop - 2] |= third > _LOST_JUMP * max(25 / fps, 1.0)
    return np.asarray(shaking | outside)


def frozen_frames(scene: NDArray[np.uint8], skin: NDArray[np.uint8], fps: float) -> NDArray[np.bool_]:
    """(T,) frames of a picture that stands still for 0.4 s or more: nothing moves, not even noise.

    Args:
        scene: (T, N_SCENE) of `face.scene`.
        skin: (T, P, 3) of `face.skin`, of the face followed.
        fps: frames per second.
    """
    n = len(scene)
    same = np.zeros(n, bool)
    for start in range(1, n, 2000):
        a, b = slice(start - 1, min(start + 1999, n - 1)), slice(start, min(start + 2000, n))
        picture = (scene[a] != scene[b]).mean(1)
        face = np.abs(skin[a].astype(np.int16) - skin[b]).mean((1, 2))
        same[b] = (picture < 0.01) & (face < 0.25)
    result = np.zeros(n, bool)
    for start, stop in runs(same):
        if stop - start + 1 >= _FROZEN_S * fps:
            result[start:stop] = True
    return result
