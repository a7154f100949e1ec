"""Refining a subject's mouth points: the frames that are asked for, in any files, and no others."""

from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.core.ibug import MOUTH
from lipwright.face.mouth.refine import FEWEST
from lipwright.subject.mouth import _SPARSE, _pictures, refine_mouths
from lipwright.subject.store import Subject


class Kept:
    """Landmarks in memory instead of a file."""

    def __init__(self, points: F32) -> None:
        self.points = points.copy()

    def read(self, start: int, stop: int) -> F32:
        return self.points[start:stop].copy()

    def write(self, start: int, values: F32) -> None:
        self.points[start : start + len(values)] = values


def test_pictures_of_several_files_near_and_far_apart(subject: Subject) -> None:
    video, n = subject.path / "frames.mp4", len(subject.track)
    wanted = np.array([0, 3, 4, 4 + 2 * _SPARSE, n + 1, n + 1 + _SPARSE])
    found = dict(_pictures([video, video], wanted))
    assert list(found) == wanted.tolist()
    for t, picture in found.items():
        expected = next(iter(subject.frames.pictures(int(t) % n, 1)))
        np.testing.assert_array_equal(picture.planes[0], expected.planes[0])
    assert not list(_pictures([video], wanted[:0]))


def test_only_mouths_of_usable_frames_change(subject: Subject) -> None:
    n, ticks = len(subject.track), []
    noise = np.random.default_rng(0).normal(0, 1.5, (n, 20, 2)).astype(np.float32)
    tracked = subject.track.landmarks_px.copy()
    tracked[:, MOUTH] += noise
    good = np.arange(n) % 2 == 0
    kept = Kept(tracked)
    videos, fps = [subject.path / "frames.mp4"], float(subject.fps)
    assert refine_mouths(videos, kept.read, kept.write, good, subject.size, fps, ticks.append)
    others = [i for i in range(68) if i not in MOUTH]
    np.testing.assert_array_equal(kept.points[:, others], tracked[:, others])
    np.testing.assert_array_equal(kept.points[~good], tracked[~good])
    left, had = (np.square(p - subject.track.landmarks_px)[good][:, MOUTH].mean() for p in (kept.points, tracked))
    assert left < 0.5 * had
    assert ticks == sorted(ticks)
    assert ticks[-1] == n - 1


@pytest.mark.parametrize("few", [0, 1, FEWEST - 1])
def test_too_few_frames_leave_everything(subject: Subject, few: int) -> None:
    kept = Kept(subject.track.landmarks_px)
    good = np.arange(len(subject.track)) < few
    videos = [subject.path / "frames.mp4"]
    assert not refine_mouths(videos, kept.read, kept.write, good, subject.size, float(subject.fps))
    np.testing.assert_array_equal(kept.points, subject.track.landmarks_px)
