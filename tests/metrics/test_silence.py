from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from lipwright.metrics.silence import frame_levels, silence_mask


def voice(pattern: str, noise: float = 0.0) -> np.ndarray:
    """One letter per 25 fps frame: s speaks, anything else is quiet."""
    rng = np.random.default_rng(0)
    gain = np.repeat([0.3 if c == "s" else 0.0 for c in pattern], 640)
    wave = gain * np.sin(np.arange(len(gain)) * 0.2) + rng.normal(0, 1, len(gain)) * noise
    return wave.astype(np.float32)


def test_levels_are_rms_in_dbfs() -> None:
    wave = np.concatenate([np.full(640, 1.0), np.full(640, 0.1), np.zeros(640)])
    np.testing.assert_allclose(frame_levels(wave, 4), [0, -20, -120, -120], atol=1e-6)


@pytest.mark.parametrize("noise", [0.0, 0.003, 0.01])
def test_pauses_are_found_over_clean_and_noisy_floors(noise: float) -> None:
    pattern = "s" * 20 + "." * 10 + "s" * 20 + "." * 10
    mask = silence_mask(voice(pattern, noise), 60)
    assert mask.tolist() == [c == "." for c in pattern]


def test_a_stop_consonant_is_no_pause() -> None:
    assert not silence_mask(voice("s" * 20 + "..." + "s" * 20), 43).any()


def test_all_silent_and_all_speech() -> None:
    assert silence_mask(np.zeros(64000, np.float32), 100).all()
    assert silence_mask(np.zeros(1280, np.float32), 2).all()
    assert not silence_mask(voice("s" * 50), 50).any()
    assert silence_mask(np.zeros(0, np.float32), 0).shape == (0,)


def test_other_rates() -> None:
    wave = voice("s" * 25 + "." * 25)
    mask = silence_mask(wave, 60, Fraction(30))
    assert mask.sum() == 30
    assert mask[30:].all()
