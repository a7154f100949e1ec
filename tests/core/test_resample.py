from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from lipwright.core.resample import cubic, linear, positions

NTSC = Fraction(30_000, 1001)


def test_positions_are_exact_after_a_day() -> None:
    frame = 24 * 3600 * 30
    rows, share = positions(frame, frame + 1, NTSC, Fraction(25))
    exact = frame * Fraction(1001, 30_000) * 25
    assert rows[0] == exact // 1
    assert share[0] == pytest.approx(float(exact - exact // 1), abs=1e-7)


def test_equal_rates_are_the_identity_bit_for_bit() -> None:
    values = np.random.default_rng(0).normal(size=(9, 2, 3)).astype(np.float32)
    rows, share = positions(2, 7, Fraction(25), Fraction(25))
    assert np.array_equal(linear(values, rows, share), values[2:7])
    assert np.array_equal(cubic(values, rows, share), values[2:7])


def test_by_hand() -> None:
    values = np.array([0, 10, 20, 0], np.float32)
    rows, share = positions(0, 5, Fraction(50), Fraction(25))
    assert rows.tolist() == [0, 0, 1, 1, 2]
    assert share.tolist() == [0, 0.5, 0, 0.5, 0]
    assert linear(values, rows, share).tolist() == [0, 5, 10, 15, 20]
    # Catmull-Rom half way: (-a + 9b + 9c - d) / 16, the first row held before the beginning.
    assert cubic(values, rows, share)[[1, 3]].tolist() == [(9 * 10 - 20) / 16, (9 * 10 + 9 * 20) / 16]


def test_ends_are_held_and_straight_lines_stay_straight() -> None:
    line = np.arange(20, dtype=np.float32)[:, None]
    rows, share = positions(-3, 60, Fraction(60), Fraction(25))
    want = np.arange(-3, 60) * 25 / 60
    inside = (want >= 1) & (want <= 17)
    for method in (linear, cubic):
        got = method(line, rows, share)[:, 0]
        np.testing.assert_allclose(got[inside], want[inside], atol=1e-5)
        assert got[0] == 0
        assert got[-1] == 19


def test_a_peak_between_frames_is_kept_better_than_by_lines() -> None:
    time = np.arange(50) / 25
    wave = np.sin(2 * np.pi * 5 * time).astype(np.float32)
    rows, share = positions(4, 50, NTSC, Fraction(25))
    truth = np.sin(2 * np.pi * 5 * np.arange(4, 50) / float(NTSC))
    error = [np.abs(method(wave, rows, share) - truth).mean() for method in (linear, cubic)]
    assert error[1] < 0.5 * error[0]
