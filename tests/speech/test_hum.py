from __future__ import annotations

import numpy as np
from scipy.signal import butter, sosfilt

from lipwright.speech.hum import without_hum


def test_it_is_the_recursive_filter() -> None:
    samples = np.random.default_rng(0).normal(0, 0.2, 40_000)
    wanted = sosfilt(butter(2, 90, "highpass", fs=16000, output="sos"), samples)
    np.testing.assert_allclose(without_hum(samples), wanted, atol=1e-12)


def test_hum_goes_and_voice_stays() -> None:
    t = np.arange(16_000) / 16_000
    hum, voice = (without_hum(np.sin(2 * np.pi * f * t))[4000:] for f in (20, 400))
    assert np.abs(hum).max() < 0.06
    assert 0.99 < np.abs(voice).max() < 1.01
    assert len(without_hum(np.zeros(0))) == 0
