"""Lower lips below bared teeth, on drawn mouths whose lips and teeth are known exactly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import INNER_BOTTOM, MOUTH
from lipwright.face.mouth.crop import SIZE
from lipwright.face.mouth.teeth import BaredTeeth

SKIN, LIP, DARK, TEETH = (205, 160, 140), (180, 90, 95), (40, 20, 20), (215, 200, 190)
BOTTOM = [MOUTH.index(i) for i in INNER_BOTTOM]


def mouth(opening: float) -> F32:
    """(20, 2) points of lips that are ellipses, in crop px."""
    outer, inner = (np.linspace(np.pi, -np.pi, n + 1)[:n] for n in (12, 8))
    rim = np.stack([56 + 36 * np.cos(outer), 38 - (opening / 2 + 10) * np.sin(outer)], -1)
    gap = np.stack([56 + 30 * np.cos(inner), 38 - opening / 2 * np.sin(inner)], -1)
    return np.concatenate([rim, gap]).astype(np.float32)


def draw(opening: float, bared: float, tooth: tuple[int, int, int], rng: np.random.Generator) -> U8:
    """A crop of it, with lower teeth that fill the lowest share `bared` of the opening."""
    points = np.round(mouth(opening) * 16).astype(np.int32)
    picture = np.full((SIZE[1], SIZE[0], 3), SKIN, np.uint8)
    cv2.fillPoly(picture, [points[:12]], LIP, cv2.LINE_AA, 4)
    inside = picture.copy()
    cv2.fillPoly(inside, [points[12:]], DARK, cv2.LINE_AA, 4)
    if bared:
        row = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillPoly(row, [points[12:]], 1, cv2.LINE_8, 4)
        row[: round(38 + opening / 2 - bared * opening)] = 0
        inside[row > 0] = tooth
    soft = cv2.GaussianBlur(inside, (0, 0), 0.8)
    return np.clip(soft + rng.normal(0, 2, soft.shape), 0, 255).astype(np.uint8)


def talk(tooth: tuple[int, int, int]) -> tuple[U8, F32, F32, np.ndarray]:
    """(crops, true, tracked, bared) of 240 mouths; the tracker takes what is bared for lip."""
    rng = np.random.default_rng(0)
    opening = rng.uniform(0, 18, 240)
    bared = np.where(rng.random(240) < 0.4, rng.uniform(0.2, 0.45, 240), 0) * (opening > 6)
    crops = np.stack([draw(o, b, tooth, rng) for o, b in zip(opening, bared, strict=True)])
    true = np.stack([mouth(o) for o in opening])
    tracked = true.copy()
    tracked[:, BOTTOM, 1] -= (0.7 * bared * opening)[:, None]
    return crops, true, tracked, bared


def error(points: F32, true: F32) -> float:
    return float(np.abs(points - true)[:, BOTTOM, 1].mean())


def test_the_lip_begins_below_bared_teeth_and_nothing_else_moves() -> None:
    crops, true, tracked, bared = talk(TEETH)
    teeth = BaredTeeth.fit(crops, tracked)
    assert teeth is not None
    moved = teeth(crops, tracked)
    shown = bared > 0
    assert error(tracked[shown], true[shown]) > 2.0
    assert error(moved[shown], true[shown]) < 0.35 * error(tracked[shown], true[shown])
    assert error(moved[~shown], true[~shown]) < 0.3
    others = [i for i in range(20) if i not in BOTTOM]
    np.testing.assert_array_equal(moved[:, others], tracked[:, others])
    np.testing.assert_array_equal(moved[..., 0], tracked[..., 0])


def test_mouths_may_come_in_any_batches() -> None:
    crops, _, tracked, _ = talk(TEETH)
    teeth = BaredTeeth.fit(crops, tracked)
    assert teeth is not None
    parts = [teeth(crops[a : a + 60], tracked[a : a + 60]) for a in range(0, 240, 60)]
    np.testing.assert_allclose(np.concatenate(parts), teeth(crops, tracked), atol=1e-4)


@pytest.mark.parametrize("tooth", [LIP, (150, 70, 75)], ids=["as lips", "a darker red"])
def test_a_tongue_moves_nothing(tooth: tuple[int, int, int]) -> None:
    crops, _, tracked, _ = talk(tooth)
    teeth = BaredTeeth.fit(crops, tracked)
    assert teeth is not None
    assert np.abs(teeth(crops, tracked) - tracked).max() < 0.5


def test_pictures_without_colour_move_nothing() -> None:
    crops, _, tracked, _ = talk(TEETH)
    grey = np.repeat(crops.mean(3, keepdims=True), 3, 3).astype(np.uint8)
    teeth = BaredTeeth.fit(grey, tracked)
    assert teeth is None or np.abs(teeth(grey, tracked) - tracked).max() < 0.5


def test_mouths_that_never_open_teach_nothing() -> None:
    rng = np.random.default_rng(1)
    crops = np.stack([draw(1.0, 0, TEETH, rng) for _ in range(60)])
    assert BaredTeeth.fit(crops, np.repeat(mouth(1.0)[None], 60, 0)) is None
