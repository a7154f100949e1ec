"""Refined mouth points on drawn mouths, whose points are known exactly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import INNER_LIPS, MOUTH, OUTER_LIPS, lip_aperture
from lipwright.face.mouth.crop import MouthCrop
from lipwright.face.mouth.refine import FEWEST, REFERENCES, MouthRefiner, references

FPS = 25.0
SIZE = (256, 256)


class Whole:
    """A picture from an array."""

    def __init__(self, rgb8: U8) -> None:
        self._rgb8 = rgb8

    def rgb8(self, box: tuple[int, int, int, int] | None = None) -> U8:
        if box is None:
            return self._rgb8
        return np.ascontiguousarray(self._rgb8[box[1] : box[3], box[0] : box[2]])


def face(opening: float, width: float) -> F32:
    """(68, 2) points of a face whose lips are ellipses."""
    points = np.zeros((68, 2), np.float32)
    angle = np.linspace(np.pi, 0, 17)
    points[:17] = np.stack([128 + 90 * np.cos(angle), 110 + 120 * np.sin(angle)], -1)
    points[17:27] = np.stack([np.linspace(60, 196, 10), np.full(10, 60)], -1)
    points[27:31] = np.stack([np.full(4, 128), np.linspace(80, 120, 4)], -1)
    points[31:36] = np.stack([np.linspace(110, 146, 5), np.full(5, 130)], -1)
    for start, x in ((36, 80), (42, 160)):
        turn = np.linspace(np.pi, -np.pi, 7)[:6]
        points[start : start + 6] = np.stack([x + 12 + 12 * np.cos(turn), 80 + 5 * np.sin(turn)], -1)
    turn = np.linspace(np.pi, -np.pi, 13)[:12]
    points[OUTER_LIPS] = np.stack([128 + width / 2 * np.cos(turn), 170 - (opening / 2 + 10) * np.sin(turn)], -1)
    turn = np.linspace(np.pi, -np.pi, 9)[:8]
    points[INNER_LIPS] = np.stack([128 + 0.8 * width / 2 * np.cos(turn), 170 - opening / 2 * np.sin(turn)], -1)
    return points


def draw(points: F32, noise: np.random.Generator) -> U8:
    """A picture of it: skin, lips, a dark mouth with a row of teeth, camera noise."""
    picture = np.full((256, 256, 3), (205, 160, 140), np.uint8)
    inner = np.round(points[INNER_LIPS] * 16).astype(np.int32)
    cv2.fillPoly(picture, [np.round(points[OUTER_LIPS] * 16).astype(np.int32)], (180, 90, 95), cv2.LINE_AA, 4)
    cv2.fillPoly(picture, [inner], (40, 20, 20), cv2.LINE_AA, 4)
    picture = cv2.GaussianBlur(picture, (0, 0), 1.0)
    return np.clip(picture + noise.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def talk() -> tuple[F32, F32, list[U8]]:
    """(true points, tracked points, pictures) of 300 frames; the tracker errs and flattens fast motion."""
    rng = np.random.default_rng(0)
    t = np.arange(300)
    opening = 8 + 8 * np.sin(t * 0.9) * np.sin(t * 0.05)
    width = 70 + 6 * np.sin(t * 0.31)
    true = np.stack([face(o, w) for o, w in zip(opening, width, strict=True)])
    lazy = np.stack([true[max(i - 1, 0) : i + 2].mean(0) for i in t])
    tracked = lazy + rng.normal(0, 0.8, (300, 68, 2)).astype(np.float32) * np.isin(np.arange(68), MOUTH)[:, None]
    return true, tracked.astype(np.float32), [draw(p, rng) for p in true]


def cut(refiner: MouthRefiner, picture: U8, points: F32, size: tuple[int, int] = SIZE) -> U8:
    return refiner.crop.cut(Whole(picture), points, size)


def learnt(chosen: np.ndarray, tracked: F32, pictures: list[U8], size: tuple[int, int]) -> MouthRefiner | None:
    crop = MouthCrop.fit(tracked[chosen])
    crops = np.stack([crop.cut(Whole(pictures[t]), tracked[t], size) for t in chosen])
    return MouthRefiner.fit(crop, crops, chosen, tracked[chosen], FPS)


def fitted(tracked: F32, pictures: list[U8]) -> MouthRefiner:
    chosen = references(np.ones(len(tracked), bool))
    refiner = learnt(chosen, tracked, pictures, SIZE)
    assert refiner is not None
    return refiner


def error(points: F32, true: F32) -> float:
    return float(np.sqrt(((points - true)[:, MOUTH] ** 2).sum(-1).mean()))


def test_a_third_of_the_tracker_s_error_goes_and_fast_motion_comes_back(talk: tuple[F32, F32, list[U8]]) -> None:
    true, tracked, pictures = talk
    refiner = fitted(tracked, pictures)
    crops = np.stack([cut(refiner, p, at) for p, at in zip(pictures, tracked, strict=True)])
    better = refiner(np.arange(len(tracked)), crops, tracked)
    assert error(better, true) < 0.65 * error(tracked, true)
    speed = [np.corrcoef(np.diff(lip_aperture(p)), np.diff(lip_aperture(true)))[0, 1] for p in (tracked, better)]
    assert speed[1] > max(speed[0], 0.97)
    others = [i for i in range(68) if i not in MOUTH]
    np.testing.assert_array_equal(better[:, others], tracked[:, others])


def test_frames_may_come_in_any_batches(talk: tuple[F32, F32, list[U8]]) -> None:
    _, tracked, pictures = talk
    refiner = fitted(tracked[:120], pictures[:120])
    crops = np.stack([cut(refiner, p, at) for p, at in zip(pictures[:90], tracked, strict=False)])
    whole = refiner(np.arange(90), crops, tracked[:90])
    parts = [refiner(np.arange(a, a + 30), crops[a : a + 30], tracked[a : a + 30]) for a in (0, 30, 60)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-3)


def test_a_mouth_unlike_all_others_stays_with_the_tracker(talk: tuple[F32, F32, list[U8]]) -> None:
    true, tracked, pictures = talk
    refiner = fitted(tracked, pictures)
    rng = np.random.default_rng(1)
    shout = face(46.0, 52.0)
    crop = cut(refiner, draw(shout, rng), shout)
    opening = lip_aperture(refiner(np.array([10]), crop[None], shout[None]))[0]
    assert opening > 0.75 * lip_aperture(shout[None])[0]
    assert lip_aperture(true).max() < 0.5 * lip_aperture(shout[None])[0]  # it is far outside of what was seen


def test_a_larger_picture_gives_the_same_points(talk: tuple[F32, F32, list[U8]]) -> None:
    _, tracked, pictures = talk
    double = [cv2.resize(p, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for p in pictures[:120]]
    small = fitted(tracked[:120], pictures[:120])
    points = tracked[:120] * 2 + 0.5  # pixel centres
    chosen = references(np.ones(120, bool))
    large = learnt(chosen, points, double, (512, 512))
    assert large is not None
    a = small(np.arange(1), cut(small, pictures[0], tracked[0])[None], tracked[:1])
    b = large(np.arange(1), cut(large, double[0], points[0], (512, 512))[None], points[:1])
    np.testing.assert_allclose((b - 0.5) / 2, a, atol=0.4)  # half of the tracker's error


def test_too_little_footage_teaches_nothing(talk: tuple[F32, F32, list[U8]]) -> None:
    _, tracked, pictures = talk
    few = references(np.ones(FEWEST - 1, bool))
    assert learnt(few, tracked, pictures, SIZE) is None


def test_references_are_spread_over_the_good_frames() -> None:
    good = np.zeros(10_000, bool)
    good[1000:9000] = True
    chosen = references(good)
    assert len(chosen) == REFERENCES
    assert good[chosen].all()
    assert (chosen[0], chosen[-1]) == (1000, 8999)
    assert np.ptp(np.diff(chosen)) <= 1
