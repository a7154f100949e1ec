"""Do two videos show the same moments? Size, rate, length and offset, aligned or refused with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lipwright.core.errors import FootageError
from lipwright.core.ibug import BROWS, EYES, NOSE
from lipwright.evaluate.source import Clip, Scan
from lipwright.media.probe import VideoInfo, probe

MOST_EXTRA_S = Fraction(1)
"""Lengths may differ by this (or a twentieth of the shorter); the common part is compared."""
MOST_SHIFT_S = 0.5
"""Largest constant shift between two videos that is looked for."""
SHORTEST = 4
"""Frames below which nothing can be said about motion."""
STILL = [*BROWS, *NOSE, *EYES]
"""Points of the head that show when two videos are out of step, whatever the mouth does."""


@dataclass(frozen=True)
class Grid:
    """The common grid both videos are read on."""

    fps: Fraction
    size: tuple[int, int]
    notes: tuple[str, ...]
    """What had to be aligned, in words."""


@dataclass(frozen=True)
class Step:
    """Which frames belong together: frame `video_first + i` with `reference_first + i`, `n` of them."""

    video_first: int
    reference_first: int
    n: int
    notes: tuple[str, ...]


def video_of(clip: Clip) -> VideoInfo:
    """The picture track of a clip; FootageError when it has none."""
    info = probe(clip.path).video
    if info is None:
        raise FootageError(f"{clip.path} holds no pictures; give a video file")
    return info


def common_grid(video: Clip, reference: Clip) -> Grid:
    """The reference's size and rate; FootageError when the video has another shape."""
    own, real = video_of(video), video_of(reference)
    notes = []
    if (own.width, own.height) != (real.width, real.height):
        if abs(own.width * real.height - real.width * own.height) > 0.01 * own.width * real.height:
            raise FootageError(
                f"{video.name} is {own.width}x{own.height} and {reference.name} {real.width}x{real.height}, "
                "which is another shape; crop one of them so that both show the same picture"
            )
        notes.append(f"scaled from {own.width}x{own.height} to the reference's {real.width}x{real.height}")
    if own.fps != real.fps:
        notes.append(f"read at the reference's {float(real.fps):.5g} fps instead of {float(own.fps):.5g}")
    return Grid(real.fps, (real.width, real.height), tuple(notes))


def in_step(video: Scan, reference: Scan) -> Step:
    """Match the frames of two scans; FootageError when their lengths differ too much."""
    notes: list[str] = []
    lag = _shift(video, reference)
    first, other = max(0, lag), max(0, -lag)
    if lag:
        side = "late" if lag > 0 else "early"
        notes.append(f"the video runs {abs(lag)} frames {side} against the reference; compared in step")
    a, b = len(video) - first, len(reference) - other
    n = min(a, b)
    allowed = max(MOST_EXTRA_S, Fraction(n, 20) / reference.fps) * reference.fps
    if n < SHORTEST:
        raise FootageError(
            f"{video.clip.name} and {reference.clip.name} share {n} frames; {SHORTEST} are needed, give longer videos"
        )
    if abs(a - b) > allowed:
        raise FootageError(
            f"{video.clip.name} has {len(video)} frames and {reference.clip.name} {len(reference)} at "
            f"{float(reference.fps):.5g} fps; trim them to the same stretch"
        )
    if a != b:
        which = "video" if a > b else "reference"
        notes.append(f"the last {abs(a - b)} frames of the {which} have no counterpart and are left out")
    return Step(first, other, n, tuple(notes))


def _shift(video: Scan, reference: Scan) -> int:
    """Frames by which the video's head runs behind the reference's; 0 unless clearly better than 0."""
    reach = min(round(MOST_SHIFT_S * reference.fps), min(len(video), len(reference)) // 4)
    a, b = (s.track.landmarks_px[:, STILL].astype(np.float64) for s in (video, reference))
    seen_a, seen_b = video.track.present, reference.track.present

    def distance(lag: int) -> float:
        first, other = max(0, lag), max(0, -lag)
        n = min(len(a) - first, len(b) - other)
        both = seen_a[first : first + n] & seen_b[other : other + n]
        if both.sum() < 10:
            return float("inf")
        gap = a[first : first + n][both] - b[other : other + n][both]
        return float(np.median(np.linalg.norm(gap, axis=-1)))

    distances = {lag: distance(lag) for lag in range(-reach, reach + 1)}
    best = min(distances, key=lambda lag: (distances[lag], abs(lag)))
    floor = max(video.noise_px, reference.noise_px, 0.25)
    clearly = distances[best] < 0.5 * distances[0] and distances[0] - distances[best] > floor
    return best if clearly else 0
