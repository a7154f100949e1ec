from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.metrics import lips
from lipwright.metrics.lips import Phone

T = np.arange(100)
CURVE = 5 + 3 * np.sin(T / 3)


def test_correlation_by_hand() -> None:
    assert lips.correlation(np.array([1.0, 2, 3]), np.array([2.0, 4, 6])) == pytest.approx(1)
    assert lips.correlation(np.array([1.0, 2, 3]), np.array([1.0, 0, 2])) == pytest.approx(0.5)
    assert lips.correlation(CURVE, 10 - CURVE) == pytest.approx(-1)


def test_a_frozen_mouth_follows_nothing() -> None:
    assert lips.correlation(CURVE, np.full(100, 7.3)) == 0
    assert lips.correlation(CURVE, CURVE * 0 + CURVE.mean()) == 0


def test_amplitude_ratio() -> None:
    assert lips.amplitude_ratio(2 + CURVE / 2, CURVE) == pytest.approx(0.5)
    assert np.isnan(lips.amplitude_ratio(CURVE, np.ones(100)))


def test_silence_ratio_by_hand() -> None:
    silent = T >= 50
    curve = np.where(silent, 1 + 0.1 * (-1.0) ** T, 5 + 2 * (-1.0) ** T)
    assert lips.silence_ratio(curve, silent, margin=0) == pytest.approx(0.05)
    # A mouth that opens one frame early is anticipation, not chatter: the margin forgives it.
    curve[50] = 9
    assert lips.silence_ratio(curve, silent) == pytest.approx(0.05, rel=0.02)
    assert lips.silence_ratio(curve, silent, margin=0) > 0.3


def test_a_pause_with_parted_lips_is_as_quiet_as_one_with_closed_lips() -> None:
    silent = (T >= 20) & (T < 40) | (T >= 60) & (T < 80)
    curve = np.where(silent, np.where(T < 50, 0.0, 8.0) + 0.1 * (-1.0) ** T, 5 + 2 * (-1.0) ** T)
    assert lips.silence_ratio(curve, silent, margin=0) == pytest.approx(0.05)
    chatter = np.where(T == 70, 4.0, curve)
    assert lips.silence_ratio(chatter, silent) > 5 * lips.silence_ratio(curve, silent)


def test_silence_ratio_without_silence_is_unknown() -> None:
    assert np.isnan(lips.silence_ratio(CURVE, np.zeros(100, bool)))
    with pytest.raises(ShapeError):
        lips.silence_ratio(CURVE, np.zeros(99, bool))


def test_shrink() -> None:
    mask = np.array([1, 1, 1, 0, 0, 1, 1, 1, 1, 1], bool)
    assert lips.shrink(mask, 1).tolist() == [True, True, False, False, False, False, True, True, True, True]
    assert lips.shrink(mask, 0).tolist() == mask.tolist()


def test_template_leak_is_signed() -> None:
    assert lips.template_leak(CURVE, CURVE) == pytest.approx(1)
    assert lips.template_leak(CURVE, -CURVE) == pytest.approx(-1)


def test_bilabial_closure() -> None:
    aperture = np.full(100, 8.0)
    aperture[[10, 60]] = 0.2
    phones = [
        Phone("P", 10 / 25, 12 / 25),  # closes
        Phone("b", 30 / 25, 32 / 25),  # misses
        Phone("M", 58 / 25, 62 / 25),  # closes
        Phone("AA1", 12 / 25, 30 / 25),  # no bilabial
        Phone("P", 40.0, 40.2),  # after the video
    ]
    assert lips.bilabial_closure_rate(aperture, phones, 25, closed=1.0) == pytest.approx(2 / 3)
    assert np.isnan(lips.bilabial_closure_rate(aperture, [Phone("AA", 0, 1)], 25, 1.0))


def test_closed_level_lies_near_the_bottom() -> None:
    aperture = np.linspace(0, 100, 1001)
    assert lips.closed_level(aperture) == pytest.approx(2 + 9.6)


def test_lips_that_open_with_the_sound_correlate_with_its_loudness() -> None:
    rng = np.random.default_rng(0)
    loud = np.repeat(np.array([0.02, 0.2] * 10), 10)  # stretches of ten frames, 20 dB apart
    samples = (np.repeat(loud, 640) * rng.normal(size=200 * 640)).astype(np.float32)
    aperture = np.convolve(np.pad(20 * np.log10(loud), 2, mode="edge"), np.full(5, 0.2), "valid")
    assert lips.loudness_correlation(aperture, samples) > 0.98
    assert lips.loudness_correlation(-aperture, samples) < -0.98
    assert lips.loudness_correlation(np.ones(200), samples) == 0
