"""Visemes on the presenter, whose lips and phones are exact."""

from __future__ import annotations

import json
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from lipwright.core.errors import ShapeError
from lipwright.metrics.lips import Phone
from lipwright.metrics.visemes import (
    Confusion,
    Said,
    confusion_by_reference,
    confusion_by_textbook,
    mouth_shapes,
    said,
)

ASSETS = Path(str(files("lipwright") / "assets"))


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    with np.load(ASSETS / "presenter_truth.npz") as truth:
        return truth["landmarks"] * float(truth["landmark_unit_px"])


@pytest.fixture(scope="module")
def phones() -> list[Phone]:
    return [Phone(*p) for p in json.loads((ASSETS / "presenter_phones.json").read_text(encoding="utf-8"))["phones"]]


def moved(phones: list[Phone], seconds: float) -> list[Phone]:
    return [Phone(p.label, p.start_s + seconds, p.end_s + seconds) for p in phones]


def test_a_real_mouth_shows_what_is_said(landmarks: np.ndarray, phones: list[Phone]) -> None:
    real = said(landmarks, phones, 25)
    own = confusion_by_reference(real, real)
    assert own.classes == ("closed", "lip on teeth", "rounded", "spread", "open")
    assert 0.7 < own.balanced_accuracy < 0.8
    assert own.counts.sum() == len(real.classes) == 317
    assert confusion_by_textbook(real).balanced_accuracy > 0.7


def test_it_falls_with_delay_down_to_chance(landmarks: np.ndarray, phones: list[Phone]) -> None:
    real = said(landmarks, phones, 25)
    delayed = [said(landmarks, moved(phones, s), 25) for s in (0.0, 0.04, 0.08, 0.2)]
    learnt = [confusion_by_reference(s, real).balanced_accuracy for s in delayed]
    assert learnt[0] > learnt[1] > learnt[2] > learnt[3]
    assert learnt[3] < 0.3
    textbook = [confusion_by_textbook(s).balanced_accuracy for s in delayed]
    assert textbook[0] > textbook[1] > textbook[2] > textbook[3]


def test_a_frozen_mouth_is_at_chance(landmarks: np.ndarray, phones: list[Phone]) -> None:
    real = said(landmarks, phones, 25)
    frozen = said(np.repeat(landmarks[:1], len(landmarks), axis=0), phones, 25)
    assert confusion_by_reference(frozen, real).balanced_accuracy == pytest.approx(1 / 5, abs=0.03)
    assert confusion_by_textbook(frozen).balanced_accuracy == pytest.approx(1 / 4)


def test_no_phone_is_judged_by_what_was_learnt_from_it() -> None:
    """Shapes without any meaning: learning from the judged phone itself would find some."""
    rng = np.random.default_rng(0)
    scores = []
    for _ in range(20):
        classes = np.array(["open", "closed", "spread", "rounded"] * 4)
        real = Said(rng.normal(size=(16, 4)), classes)
        scores.append(confusion_by_reference(real, real).balanced_accuracy)
    assert np.mean(scores) < 0.3


def test_smaller_smoother_and_shakier_mouths_score_lower(landmarks: np.ndarray, phones: list[Phone]) -> None:
    real, mouth = said(landmarks, phones, 25), landmarks[:, 48:68] - landmarks[:, 33:34]

    def score(lips: np.ndarray) -> float:
        points = landmarks.copy()
        points[:, 48:68] = landmarks[:, 33:34] + lips
        return confusion_by_reference(said(points, phones, 25), real).balanced_accuracy

    mean = mouth.mean(axis=0)
    rng = np.random.default_rng(0)
    ladders = [
        [score(mean + a * (mouth - mean)) for a in (1.0, 0.4, 0.1, 0.0)],
        [score(gaussian_filter1d(mouth, s, axis=0)) for s in (0.01, 1, 2, 4)],
        [score(mouth + rng.normal(0, s, mouth.shape)) for s in (0.0, 2.0, 4.0)],
    ]
    for ladder in ladders:
        assert all(a > b for a, b in pairwise(ladder)), ladder


def test_size_and_place_do_not_matter(landmarks: np.ndarray) -> None:
    np.testing.assert_allclose(mouth_shapes(landmarks[:5] * 2.5 + 40), mouth_shapes(landmarks[:5]), rtol=1e-9)


def test_phones_and_frames_by_hand() -> None:
    points = np.zeros((10, 68, 2))
    points[:, 45, 0] = 10
    points[:, 66, 1] = np.arange(10)  # inner opening t / 10
    phones = [Phone("AA1", 0.0, 0.16), Phone("T", 0.1, 0.2), Phone("m", 0.2, 0.21), Phone("F", 9.0, 9.1)]
    found = said(points, phones, 25)
    assert found.classes.tolist() == ["open", "closed"]
    # centres 0.02 0.06 0.10 0.14: the middle half of 0 to 0.16 holds frames 1 and 2; 0.205 lies in frame 5
    np.testing.assert_allclose(found.shapes[:, 0], [0.15, 0.5])


def test_balanced_accuracy_by_hand() -> None:
    counts = np.array([[8, 2], [1, 1]])
    assert Confusion(("closed", "open"), counts).balanced_accuracy == pytest.approx((0.8 + 0.5) / 2)
    assert np.isnan(Confusion((), np.zeros((0, 0), int)).balanced_accuracy)


def test_rare_classes_and_no_phones_are_left_out() -> None:
    few = Said(np.random.default_rng(0).normal(size=(8, 4)), np.array(["open"] * 3 + ["closed"] * 3 + ["spread"] * 2))
    assert confusion_by_reference(few, few).classes == ("closed", "open")
    none = Said(np.zeros((0, 4)), np.zeros(0, dtype=np.str_))
    assert confusion_by_textbook(none).classes == confusion_by_reference(none, none).classes == ()
    with pytest.raises(ShapeError):
        confusion_by_reference(none, few)
