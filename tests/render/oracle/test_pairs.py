"""The synthetic set: pairs by number, rejected by pose, kept on disk, resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.contracts import F32, U8
from lipwright.core.errors import ConfigError
from lipwright.core.ibug import MOUTH
from lipwright.face.mashing import FARTHEST_RAD
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.pairs import mashed_pairs, picture_pairs


class Counting:
    """Draws a picture whose colour is the head's number, and counts; stops after a while if asked to."""

    def __init__(self, data: OracleData, stop_after: int | None = None) -> None:
        self.data, self.drawn, self._stop = data, 0, stop_after

    def __call__(self, landmarks: F32, frames: np.ndarray) -> tuple[U8, U8]:
        if self._stop is not None and self.drawn >= self._stop:
            raise KeyboardInterrupt
        self.drawn += len(frames)
        shade = (np.asarray(frames) * 4).astype(np.uint8)[:, None, None, None]
        size = self.data.mouth_size
        return np.broadcast_to(shade, (len(frames), 64, 64, 3)).copy(), np.broadcast_to(
            shade, (len(frames), size, size, 3)
        ).copy()


def test_pairs_depend_on_their_number_alone_and_stay_in_training(data: OracleData) -> None:
    few, many = mashed_pairs(data, 5, 7), mashed_pairs(data, 40, 7)
    np.testing.assert_array_equal(few.i, many.i[:5])
    np.testing.assert_array_equal(few.j, many.j[:5])
    np.testing.assert_allclose(few.landmarks, many.landmarks[:5], atol=1e-4)
    assert np.isin(many.i, data.train).all()
    assert np.isin(many.j, data.train).all()
    assert (many.i != many.j).all()
    assert not np.array_equal(mashed_pairs(data, 40, 8).i, many.i)


def test_pairs_too_far_apart_in_pose_are_not_drawn(data: OracleData) -> None:
    turned = data.track.pose_rad.copy()
    turned[::2, 1] += FARTHEST_RAD + 0.4
    apart = replace(data, track=replace(data.track, pose_rad=turned))
    pairs = mashed_pairs(apart, 60, 0)
    assert (pairs.i % 2 == pairs.j % 2).all()


def test_keypoints_are_those_of_the_head_but_for_mouth_and_jaw(data: OracleData) -> None:
    pairs = mashed_pairs(data, 20, 0)
    upper = [*range(4), *range(13, 48)]
    np.testing.assert_allclose(pairs.landmarks[:, upper], data.landmarks[pairs.j][:, upper], atol=1e-3)
    aperture = np.ptp(pairs.landmarks[:, MOUTH, 1], axis=1)
    wanted = np.ptp(data.landmarks[pairs.i][:, MOUTH, 1], axis=1)
    assert np.abs(aperture - wanted).max() < 2


def test_pictures_are_drawn_once_and_an_interrupted_run_goes_on(data: OracleData, tmp_path: Path) -> None:
    stopped = Counting(data, stop_after=70)
    with pytest.raises(KeyboardInterrupt):
        picture_pairs(stopped, data, 150, 0, tmp_path, "a")
    rest = Counting(data)
    pairs = picture_pairs(rest, data, 150, 0, tmp_path, "a")
    assert rest.drawn == 150 - 64, "what was noted is not drawn again"
    assert len(pairs) == 150
    whole = picture_pairs(Counting(data), data, 150, 0, tmp_path / "whole", "a")
    for k in (0, 63, 64, 149):
        assert abs(int(pairs.head[k].mean()) - int(pairs.j[k] * 4)) <= 2
        np.testing.assert_array_equal(pairs.head[k], whole.head[k])
        np.testing.assert_array_equal(pairs.mouth[k], whole.mouth[k])
        assert pairs.mouth[k].shape == (64, 64, 3)
    again = Counting(data)
    picture_pairs(again, data, 150, 0, tmp_path, "a")
    assert again.drawn == 0
    other = Counting(data)
    picture_pairs(other, data, 150, 0, tmp_path, "b")
    assert other.drawn == 150, "another oracle draws them anew"


def test_a_file_that_lacks_its_end_is_drawn_again(data: OracleData, tmp_path: Path) -> None:
    whole = picture_pairs(Counting(data), data, 10, 0, tmp_path, "a")
    wanted = whole.head[9]
    (tmp_path / "head.jpgs").write_bytes((tmp_path / "head.jpgs").read_bytes()[:-5])
    again = Counting(data)
    pairs = picture_pairs(again, data, 10, 0, tmp_path, "a")
    assert again.drawn == 10
    np.testing.assert_array_equal(pairs.head[9], wanted)


def test_an_empty_set_is_refused(data: OracleData) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        mashed_pairs(data, 0, 0)
