from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import find_peaks

import lipwright
from lipwright.metrics.blinks import blink_rate, blinks, eye_openness


def eyes(openness: np.ndarray) -> np.ndarray:
    """(T, 68, 2) tracks whose eyes are 10 px wide and open by `openness` times that."""
    track = np.zeros((len(openness), 68, 2))
    for e in (36, 42):
        for point, (x, side) in enumerate([(0, 0), (3, -1), (7, -1), (10, 0), (7, 1), (3, 1)]):
            track[:, e + point, 0] = x
            track[:, e + point, 1] = side * 5 * openness
    return track


def test_the_aspect_ratio_by_hand() -> None:
    np.testing.assert_allclose(eye_openness(eyes(np.array([0.3, 0.0]))), [0.3, 0], atol=1e-12)


@pytest.mark.parametrize("fps", [25.0, 50.0])
def test_blinks_are_counted_once_each_and_sleep_is_none(fps: float) -> None:
    t = np.arange(round(20 * fps)) / fps
    curve = 0.3 + 0.03 * np.sin(t)
    for at in (2, 6.1, 13):
        curve *= 1 - 0.8 * np.exp(-(((t - at) / 0.06) ** 2))
    found = blinks(curve, fps)
    np.testing.assert_allclose(np.array(found) / fps, [2, 6.1, 13], atol=0.05)
    assert blink_rate(curve, fps) == pytest.approx(9)
    asleep = curve * np.where((t > 15) & (t < 17), 0.1, 1)
    assert len(blinks(asleep, fps)) == 3
    assert blinks(np.full(100, 0.3), fps) == []
    assert blinks(np.array([0.3]), fps) == []
    assert np.isnan(blink_rate(np.array([]), fps))


def test_a_squint_that_stays_is_no_blink() -> None:
    curve = np.full(500, 0.3)
    curve[200:] = 0.15
    assert blinks(curve, 25.0) == []


def test_the_presenters_blinks_are_where_they_were_drawn() -> None:
    path = Path(lipwright.__file__).parent / "assets" / "presenter_truth.npz"
    with np.load(path, allow_pickle=False) as truth:
        names = [str(name) for name in truth["names"]]
        lids = truth["weights"][:, [names.index("eyeBlink_L"), names.index("eyeBlink_R")]].astype(np.float64).mean(1)
        landmarks = truth["landmarks"] * float(truth["landmark_unit_px"])
    drawn = find_peaks(lids, height=0.5, distance=4)[0]
    assert len(drawn) == 8
    np.testing.assert_allclose(blinks(eye_openness(landmarks), 25.0), drawn, atol=1)
