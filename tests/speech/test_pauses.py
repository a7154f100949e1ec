from __future__ import annotations

import numpy as np

from lipwright.speech.features import features_of
from lipwright.speech.pauses import levels, silent_frames, stretches


def level(*parts: tuple[float, int]) -> np.ndarray:
    return np.concatenate([np.full(n, db) for db, n in parts])


def test_level_of_a_tone_and_of_nothing() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(6400) / 16000).astype(np.float32)
    np.testing.assert_allclose(levels(tone)[2:], -3.01, atol=0.05)
    np.testing.assert_allclose(levels(np.zeros(1280, np.float32)), -120)


def test_pauses_breath_and_stops() -> None:
    heard = level((-20, 50), (-70, 10), (-20, 50), (-70, 3), (-20, 50), (-70, 8), (-45, 10), (-70, 8), (-20, 50))
    silent = stretches(silent_frames(heard))
    assert silent == [(50, 60), (163, 189)]  # the stop's 3 frames are speech, the breath is not


def test_quiet_ends_of_words_stay_speech() -> None:
    heard = level((-70, 20), (-20, 30), (-40, 5), (-70, 20))
    assert stretches(silent_frames(heard)) == [(0, 20), (55, 75)]


def test_room_noise_does_not_count_as_speech() -> None:
    heard = level((-20, 60), (-45, 20), (-20, 60)) + np.random.default_rng(0).normal(0, 1, 140)
    assert stretches(silent_frames(heard)) == [(60, 80)]
    assert silent_frames(level((-75, 300))).all()
    assert silent_frames(level((-30, 300))).all()
    assert silent_frames(np.full(100, -120.0)).all()


def test_rows_do_not_depend_on_chunks() -> None:
    rng = np.random.default_rng(0)
    loud = np.repeat(rng.integers(0, 2, 40), 6400).astype(np.float32)
    samples = (loud * rng.normal(0, 0.1, len(loud))).astype(np.float32)
    whole = features_of(samples, ["pauses"], 400)["pauses"]
    part = features_of(samples, ["pauses"], 60, 220)["pauses"]
    np.testing.assert_array_equal(part, whole[220:280])
    assert whole.shape == (400, 2)
    np.testing.assert_array_equal(whole[:, 1], 0)
    assert 0.2 < whole[:, 0].mean() < 0.8
