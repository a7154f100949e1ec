from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lipwright.core.contracts import FaceTrack
from lipwright.face.scene import N_SCENE
from lipwright.face.usable import Reason, Stretch, frozen_frames, usability

N = 200


def a_track(**changes: Any) -> FaceTrack:
    """A face 120 px wide that moves slowly, seen from the front."""
    points = np.random.default_rng(0).uniform(-40, 40, (68, 2))
    points[0], points[16] = (-60, 0), (60, 0)
    t = np.arange(N)[:, None, None]
    whole: dict[str, Any] = {
        "landmarks_px": (points + [250, 250] + 20 * np.sin(t / 20)).astype(np.float32),
        "dense_px": np.zeros((N, 478, 3), np.float32),
        "confidence": np.ones(N, np.float32),
        "pose_rad": np.zeros((N, 3), np.float32),
        "size": (500, 500),
    }
    return FaceTrack(**{**whole, **changes})


def at(start: int, stop: int) -> np.ndarray:
    mask = np.zeros(N, bool)
    mask[start:stop] = True
    return mask


def test_a_good_track_is_usable_throughout() -> None:
    usable, stretches = usability(a_track(), 25)
    assert usable.all()
    assert stretches == []


def turned(axis: int, degrees: float) -> np.ndarray:
    pose = np.zeros((N, 3), np.float32)
    pose[50:80, axis] = np.radians(degrees)
    return pose


def shaken() -> np.ndarray:
    points = a_track().landmarks_px.copy()
    points[50:80] += np.random.default_rng(1).normal(0, 20, (30, 1, 2)).astype(np.float32)
    return points


@pytest.mark.parametrize(
    ("track", "given", "reason"),
    [
        ({"confidence": 1.0 * ~at(50, 80)}, {"someone": ~at(50, 80)}, Reason.NO_FACE),
        ({"confidence": 1.0 * ~at(50, 80)}, {"someone": at(0, N)}, Reason.OTHER),
        ({"confidence": 1.0 * ~at(50, 80)}, {}, Reason.NO_FACE),
        ({"pose_rad": turned(1, -48)}, {}, Reason.PROFILE),
        ({"pose_rad": turned(0, 40)}, {}, Reason.PROFILE),
        ({"confidence": np.where(at(50, 80), 0.4, 1.0)}, {}, Reason.LOST),
        ({}, {"covered": at(50, 80)}, Reason.COVERED),
        ({}, {"captioned": at(50, 80)}, Reason.CAPTION),
        ({}, {"frozen": at(50, 80)}, Reason.FROZEN),
        ({}, {"damaged": [(50, 80)]}, Reason.DAMAGED),
        ({}, {"transitions": [(50, 80)]}, Reason.BLEND),
        ({"confidence": 1.0 * ~at(50, 80)}, {"damaged": [(50, 80)], "captioned": at(40, 80)}, Reason.DAMAGED),
    ],
)
def test_every_reason_is_given(track: dict[str, Any], given: dict[str, Any], reason: Reason) -> None:
    usable, stretches = usability(a_track(**track), 25, **given)
    assert not usable[50:80].any()
    assert usable[:40].all()
    assert usable[80:].all()
    assert stretches[-1] == Stretch(50, 80, reason)


def test_moderate_turns_are_usable() -> None:
    assert usability(a_track(pose_rad=turned(1, 30)), 25)[0].all()
    assert usability(a_track(pose_rad=turned(0, -20)), 25)[0].all()


def test_a_mesh_that_shakes_follows_nothing() -> None:
    usable, stretches = usability(a_track(landmarks_px=shaken()), 25)
    assert usable[52:78].mean() < 0.2
    assert {s.reason for s in stretches} == {Reason.LOST}
    assert usable[:45].all()


def test_a_small_face_is_unusable() -> None:
    small = a_track()
    points = (small.landmarks_px - 250) * 0.3 + 250
    usable, stretches = usability(a_track(landmarks_px=points), 25)
    assert not usable.any()
    assert stretches == [Stretch(0, N, Reason.SMALL)]


def test_cuts_and_short_shots() -> None:
    usable, stretches = usability(a_track(), 25, shots=[(0, 100), (100, 115), (115, N)])
    assert stretches == [Stretch(99, 100, Reason.CUT), Stretch(100, 115, Reason.SHORT), Stretch(115, 116, Reason.CUT)]
    assert usable[:99].all()
    assert usable[116:].all()


def test_islands_between_unusable_frames_are_given_up() -> None:
    usable, stretches = usability(a_track(), 25, covered=at(50, 60) | at(66, 80))
    assert stretches == [Stretch(50, 80, Reason.COVERED)]
    assert usability(a_track(), 25, covered=at(50, 60) | at(80, 90))[0][60:80].all(), "0.8 s are worth keeping"
    assert usable.sum() == N - 30


def test_the_sentence_is_for_people() -> None:
    assert Stretch(310, 328, Reason.COVERED).sentence(25) == "12.4-13.1 s: a hand or object covers the mouth"
    assert Stretch(49, 51, Reason.CUT).sentence(25) == "1.96-2.04 s: the picture cuts to another shot"
    assert len({r.value for r in Reason}) == len(Reason)


def test_a_picture_that_stands_still_is_frozen_and_duplicates_are_not() -> None:
    rng = np.random.default_rng(2)
    scene = rng.integers(0, 255, (N, N_SCENE)).astype(np.uint8)
    skin = rng.integers(0, 255, (N, 20, 3)).astype(np.uint8)
    scene[50:80], skin[50:80] = scene[50], skin[50]
    scene[1::6], skin[1::6] = scene[0:-1:6][: len(scene[1::6])], skin[0:-1:6][: len(skin[1::6])]
    scene[50:80], skin[50:80] = scene[50], skin[50]
    frozen = frozen_frames(scene, skin, 25)
    assert frozen[51:80].all()
    assert frozen.sum() <= 30
