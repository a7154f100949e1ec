"""Refining a subject's mouth points: against the presenter's exact ones, and only what may change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.core.ibug import MOUTH, lip_aperture
from lipwright.face.landmarks68 import to_68
from lipwright.face.mouth.refine import FEWEST
from lipwright.presenter.scene import load_truth
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


@pytest.fixture(scope="module")
def points(subject: Subject, presenter: Path) -> dict[str, F32]:
    truth = load_truth(presenter.with_name("presenter_truth.npz"))
    tracked = to_68(np.array(subject.track.dense_px))
    return {"true": truth.landmarks_px[: len(tracked)], "tracked": tracked, "refined": subject.track.landmarks_px}


def test_the_lips_move_as_they_do_in_truth(points: dict[str, F32]) -> None:
    speed = {name: np.diff(lip_aperture(p)) for name, p in points.items()}
    follows = {name: np.corrcoef(speed[name], speed["true"])[0, 1] for name in ("tracked", "refined")}
    assert follows["refined"] > follows["tracked"] + 0.03
    assert follows["refined"] > 0.93


def test_the_mouth_lies_closer_to_truth_and_the_rest_as_it_was(points: dict[str, F32]) -> None:
    def error(p: F32) -> float:
        off = (p - points["true"])[:, MOUTH]
        return float(np.sqrt(((off - off.mean(0)) ** 2).sum(-1).mean()))

    assert error(points["refined"]) < error(points["tracked"])
    others = [i for i in range(68) if i not in MOUTH]
    np.testing.assert_array_equal(points["refined"][:, others], points["tracked"][:, others])


def test_footage_that_is_not_kept_in_memory_gives_the_same(
    subject: Subject, points: dict[str, F32], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lipwright.subject.mouth._KEPT", 10)
    again, video = Kept(points["tracked"]), [subject.path / "frames.mp4"]
    assert refine_mouths(video, again.read, again.write, subject.track.good, subject.size, float(subject.fps))
    np.testing.assert_allclose(again.points, points["refined"], atol=1e-3)


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
