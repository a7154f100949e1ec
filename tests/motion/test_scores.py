from __future__ import annotations

import numpy as np
import pytest

from lipwright.motion.scores import aperture, correlation, lmd, score, tracker_noise


def test_a_shift_is_raw_distance_without_shape_error() -> None:
    truth = np.random.default_rng(0).normal(0, 1, (10, 29, 2)).astype(np.float32)
    moved = truth + np.array([3, 4], np.float32)
    assert lmd(moved, truth) == pytest.approx(5, abs=1e-5)
    assert lmd(moved, truth, centred=True) == pytest.approx(0, abs=1e-5)


def test_aperture_is_the_mean_inner_lip_gap() -> None:
    points = np.zeros((1, 29, 2), np.float32)
    points[0, [19, 18, 17], 1] = [1, 2, 3]
    assert aperture(points)[0] == pytest.approx(2)


def test_noise_of_white_jitter_is_its_mean_length() -> None:
    rng = np.random.default_rng(0)
    drift = np.linspace(0, 50, 4000)[:, None, None]
    jitter = rng.normal(0, 0.7, (4000, 29, 2))
    expected = np.linalg.norm(jitter[:, :20], axis=-1).mean()
    assert tracker_noise((drift + jitter).astype(np.float32)) == pytest.approx(expected, rel=0.02)


def test_score_of_the_truth_and_of_the_mean() -> None:
    truth = np.random.default_rng(0).normal(0, 1, (30, 29, 2)).astype(np.float32)
    perfect, mean = score(truth, truth, truth.mean(axis=0)), truth.mean(axis=0)
    assert perfect["lmd"] == perfect["lmd_centred_ratio"] == 0
    assert perfect["aperture_correlation"] == pytest.approx(1)
    assert perfect["aperture_amplitude"] == perfect["jitter_ratio"] == pytest.approx(1)
    still = score(np.broadcast_to(mean, truth.shape), truth, mean)
    assert still["lmd_ratio"] == pytest.approx(1)
    assert still["aperture_correlation"] == 0
    assert still["aperture_amplitude"] == pytest.approx(0, abs=1e-9)


def test_a_constant_has_no_correlation() -> None:
    assert correlation(np.ones(5), np.arange(5.0)) == 0
