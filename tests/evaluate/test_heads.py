"""Lips of drawn heads: obeying the speech, or moved by the head, told apart."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lipwright.core.contracts import FaceTrack, RenderWindow
from lipwright.core.errors import ShapeError
from lipwright.evaluate.heads import HeadTests, apertures, head_tests

from .drawn import NEUTRAL, SIZE, MarkerTracker, draw, head, openings

COUNT = 60
SIDE = 144
RESTING = 6.0


class Puppet:
    """Stands in for a renderer: a mouth as the speech says, and `leak` of how far the head is to the right."""

    config = SimpleNamespace(size=SIDE)

    def __init__(self, leak: float = 0.0, blank: bool = False) -> None:
        self.leak, self.blank = leak, blank

    def pictures(self, window: RenderWindow) -> Iterator[Any]:
        left = (SIZE[0] - SIDE) // 2
        for points, said in zip(window.track.landmarks_px, window.target, strict=True):
            nose = points[30] + [left, 0]
            height = max(float(said[0, 0] + self.leak * (points[30, 0] - SIDE / 2)), 0.0)
            picture = draw(nose, height)[:, left : left + SIDE]
            yield np.zeros_like(picture) if self.blank else np.ascontiguousarray(picture), None


def moving(seed: int, heights: np.ndarray) -> FaceTrack:
    noses = head(COUNT, seed) - [(SIZE[0] - SIDE) / 2, 0]
    from lipwright.evaluate.heads import tracked

    pictures = Puppet().pictures(RenderWindow([], _still(noses), heights, _still(noses)))
    return tracked((p for p, _ in pictures), SIDE, MarkerTracker)


def _still(noses: np.ndarray) -> FaceTrack:
    points = np.zeros((COUNT, 68, 2), np.float32)
    points[:, 30] = noses
    mesh = np.zeros((COUNT, 478, 3), np.float32)
    return FaceTrack(points, mesh, np.ones(COUNT, np.float32), np.zeros((COUNT, 3), np.float32), (SIDE, SIDE))


@pytest.fixture(scope="module")
def said() -> np.ndarray:
    return openings(COUNT, 3)[:, None, None].astype(np.float32)


@pytest.fixture(scope="module")
def heads(said: np.ndarray) -> FaceTrack:
    return moving(5, said)


@pytest.fixture(scope="module")
def others(said: np.ndarray) -> FaceTrack:
    return moving(8, said)


def lips_of(puppet: Puppet, heads: FaceTrack, others: FaceTrack, said: np.ndarray) -> HeadTests:
    silent = np.full_like(said, RESTING)
    return head_tests(puppet, heads, others, said, silent, MarkerTracker)  # type: ignore[arg-type]


def test_lips_that_obey_rest_in_silence_on_every_head(heads: FaceTrack, others: FaceTrack, said: np.ndarray) -> None:
    found = lips_of(Puppet(), heads, others, said)
    assert found.silence_ratio < 0.05
    assert found.swap_change < 0.05
    assert found.swap_correlation > 0.99
    assert found.lip_correlation > 0.98
    assert found.lip_amplitude == pytest.approx(1, abs=0.05)
    assert found.faces_found == 1


def test_lips_that_heads_move_do_not(heads: FaceTrack, others: FaceTrack, said: np.ndarray) -> None:
    found = lips_of(Puppet(leak=0.5), heads, others, said)
    sway = 0.5 * (heads.landmarks_px[:, 30, 0] - SIDE / 2)
    wanted = np.std(np.maximum(RESTING + sway, 0)) / np.std(np.maximum(said[:, 0, 0] + sway, 0))
    assert wanted > 0.2
    assert found.silence_ratio == pytest.approx(wanted, rel=0.15)
    assert found.swap_change > 0.3
    assert found.swap_correlation < 0.97


def test_without_faces_nothing_is_claimed(heads: FaceTrack, others: FaceTrack, said: np.ndarray) -> None:
    facts = lips_of(Puppet(blank=True), heads, others, said).facts()
    assert facts["silence_ratio"] is None
    assert facts["swap_change"] is None
    assert facts["faces_found"] == 0


def test_streams_must_be_equally_long(heads: FaceTrack, others: FaceTrack, said: np.ndarray) -> None:
    with pytest.raises(ShapeError):
        lips_of(Puppet(), heads, others[:9], said)


def test_apertures_do_not_depend_on_the_size_of_the_picture() -> None:
    points = np.repeat(NEUTRAL[None, :68, :2], 2, axis=0)
    points[1] *= 2
    track = _still(np.zeros((COUNT, 2)))[:2]
    one, two = (
        apertures(FaceTrack(p[None], track.dense_px[:1], track.confidence[:1], track.pose_rad[:1], (1, 1)))
        for p in points
    )
    np.testing.assert_allclose(one, two, rtol=1e-6)
