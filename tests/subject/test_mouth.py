"""Preparing refines the mouth: against the presenter's exact points, beside what the tracker alone says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.core.ibug import MOUTH, lip_aperture
from lipwright.face.landmarks68 import to_68
from lipwright.media.picture import Picture
from lipwright.presenter.scene import load_truth
from lipwright.subject.mouth import refine_mouths
from lipwright.subject.store import Subject


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
    tracked, again = points["tracked"], points["tracked"].copy()
    monkeypatch.setattr("lipwright.subject.mouth._KEPT", 10)

    def read(start: int, stop: int) -> F32:
        return tracked[start:stop].copy()

    def write(start: int, values: F32) -> None:
        again[start : start + len(values)] = values

    video = [subject.path / "frames.mp4"]
    assert refine_mouths(video, read, write, subject.track.good, subject.size, float(subject.fps))
    np.testing.assert_allclose(again, points["refined"], atol=1e-3)


def test_only_wanted_pictures_are_decoded(subject: Subject) -> None:
    from lipwright.subject.mouth import _pictures

    wanted = np.array([3, 4, 120, 121, 240])
    found = list(_pictures([subject.path / "frames.mp4"] * 2, np.concatenate([wanted, wanted + 250])))
    assert [t for t, _ in found] == [*wanted, *(wanted + 250)]
    assert all(isinstance(p, Picture) for _, p in found)
    frames = list(subject.frames.read())
    for (_, picture), t in zip(found, [*wanted, *wanted], strict=True):
        np.testing.assert_array_equal(picture.rgb8(), frames[t])


def test_too_little_footage_is_left_alone(subject: Subject) -> None:
    good = np.zeros(250, bool)
    good[:30] = True
    tracked = subject.track.landmarks_px
    video = [subject.path / "frames.mp4"]
    never = pytest.fail
    assert not refine_mouths(
        video, lambda a, b: tracked[a:b], lambda start, values: never("written"), good, subject.size, 25.0
    )
