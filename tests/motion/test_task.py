from __future__ import annotations

import copy
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from lipwright.core.contracts import Conditions
from lipwright.core.errors import ConfigError, SubjectError
from lipwright.motion.config import AugmentConfig, MotionConfig
from lipwright.motion.data import MotionClip, MotionData
from lipwright.motion.location import inputs
from lipwright.motion.scores import aperture, correlation
from lipwright.motion.separate import Separate
from lipwright.motion.task import MotionTask

from .conftest import make_clip

SMALL = MotionConfig(width=16, batch=2, dropout=0.0, learning_rate=5e-3)


def trained(config: MotionConfig, clip: MotionClip, steps: int) -> MotionTask:
    task = MotionTask(config, MotionData((clip,)), seed=0)
    for i in range(steps):
        task.budget_fraction(i / steps)
        task.step(i)
    return task


def error(task: MotionTask, clip: MotionClip, features: dict[str, np.ndarray]) -> float:
    out = task.model().predict(features, clip.conditions)
    return float(((out - clip.landmarks) ** 2).mean())


@pytest.mark.slow
@pytest.mark.parametrize("separate", [False, True])
def test_overfits_64_frames_and_hears_the_right_sound(separate: bool) -> None:
    clip = make_clip(64)
    task = trained(replace(SMALL, width=32, batch=1, separate=separate), clip, 120)
    mean_error = float(((clip.landmarks - clip.landmarks.mean(axis=0)) ** 2).mean())
    right = error(task, clip, dict(clip.features))
    assert right < 0.25 * mean_error
    shuffled = clip.features["logfbank"].reshape(64, 4, 26)[np.random.default_rng(3).permutation(64)]
    assert error(task, clip, {"logfbank": shuffled.reshape(256, 26)}) > 2 * right


def lag(out: np.ndarray, heard: np.ndarray) -> int:
    own, said = aperture(out), aperture(heard)
    return max(range(-6, 7), key=lambda k: correlation(np.roll(own, -k)[10:-10], said[10:-10]))


@pytest.mark.slow
def test_a_planted_delay_is_learnt() -> None:
    """Landmarks that follow their sound three frames late must come out three frames late."""
    clip, other = make_clip(320, delay=3), make_clip(320, seed=9)
    out = trained(replace(SMALL, separate=True), clip, 150).model().predict(other.features, other.conditions)
    assert lag(out, other.landmarks) == 3


def test_the_kernel_learns_a_planted_delay_at_once() -> None:
    clip, other = make_clip(320, delay=3), make_clip(320, seed=9)
    task = MotionTask(replace(SMALL, separate=True, kernel_share=1.0), MotionData((clip,)))
    out = task.model().predict(other.features, other.conditions)
    assert lag(out, other.landmarks) == 3
    assert correlation(aperture(out)[3:], aperture(other.landmarks)[:-3]) > 0.9


def test_a_separate_model_ignores_what_cheeks_know_of_the_mouth() -> None:
    """Cheeks that move with the jaw: over other speech the result must not follow the template's mouth."""
    plain, other = make_clip(640), make_clip(640, seed=5)
    jaw = plain.landmarks[:, 20:, 1].mean(axis=1) - plain.landmarks[:, 0, 1]
    leaky = Conditions(plain.conditions.pose_rad, plain.conditions.cheeks + 0.5 * jaw[:, None, None])
    clip = MotionClip(plain.features, plain.landmarks, leaky, plain.weight)

    def leak(separate: Separate) -> float:
        location = separate.location(leaky).reshape(-1, 29, 2)
        return float(aperture(location).std() / aperture(plain.landmarks).std())

    config = replace(SMALL, separate=True, kernel_share=1.0, leak_penalty=1.0, condition_smoothing_s=0.3)
    task = MotionTask(config, MotionData((clip,)))
    out = task.model().predict(other.features, leaky)
    assert abs(correlation(aperture(out), aperture(plain.landmarks))) < 0.15
    assert correlation(aperture(out), aperture(other.landmarks)) > 0.9
    assert task.statistics.separate is not None
    assert leak(task.statistics.separate) < 0.1
    blind = inputs(leaky)
    naive = np.linalg.lstsq(np.c_[blind, np.ones(640)], plain.landmarks.reshape(640, -1), rcond=None)[0]
    told = (np.c_[blind, np.ones(640)] @ naive).reshape(-1, 29, 2)
    assert correlation(aperture(told), aperture(plain.landmarks)) > 0.5


def test_amplitude_lost_to_regression_comes_back() -> None:
    clip = make_clip(320)
    rng = np.random.default_rng(0)
    noisy = {"logfbank": clip.features["logfbank"] + np.repeat(rng.normal(0, 1.0, (320, 26)), 4, 0)}
    hard = MotionClip(noisy, clip.landmarks, clip.conditions, clip.weight)
    plain = replace(SMALL, separate=True, kernel_share=1.0)
    gains = []
    for amplitude in (0.0, 1.0):
        statistics = MotionTask(replace(plain, amplitude=amplitude), MotionData((hard,))).statistics
        assert statistics.separate is not None
        gains.append(statistics.separate.gain)
    assert gains[0] == 1
    assert 1 < gains[1] <= 1.6


def test_resuming_repeats_the_run_exactly(clip: MotionClip) -> None:
    config = MotionConfig(width=16, batch=4, ema=0.9, augment=AugmentConfig(noise=0.3, warp=0.1))
    straight = MotionTask(config, MotionData((clip,)), seed=4)
    for i in range(6):
        straight.step(i)
        if i == 2:
            modules = {k: copy.deepcopy(m.state_dict()) for k, m in straight.modules().items()}
            optimisers = {k: copy.deepcopy(o.state_dict()) for k, o in straight.optimisers().items()}
    resumed = MotionTask(config, MotionData((clip,)), seed=4)
    torch.manual_seed(12345)
    for name, module in resumed.modules().items():
        module.load_state_dict(modules[name])
    for name, optimiser in resumed.optimisers().items():
        optimiser.load_state_dict(optimisers[name])
    for i in range(3, 6):
        resumed.step(i)
    for a, b in zip(straight.modules().values(), resumed.modules().values(), strict=True):
        for key, value in a.state_dict().items():
            assert torch.equal(value, b.state_dict()[key])


def test_training_leaves_the_global_generator_alone(clip: MotionClip) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    MotionTask(MotionConfig(width=16, batch=2), MotionData((clip,)), seed=1).step(0)
    assert torch.equal(torch.rand(3), expected)


def test_the_schedule_falls_to_its_end(clip: MotionClip) -> None:
    task = MotionTask(SMALL, MotionData((clip,)))
    rates = []
    for fraction in (0.0, 0.5, 1.0, 2.0):
        task.budget_fraction(fraction)
        rates.append(task.optimisers()["cascade"].param_groups[0]["lr"])
    assert rates == pytest.approx([5e-3, (5e-3 + 1e-5) / 2, 1e-5, 1e-5])


def test_validation_compares_with_the_mean_mouth(clip: MotionClip) -> None:
    data = MotionData.split([clip], Fraction(1, 4), Fraction(0))
    found = MotionTask(SMALL, data).validate()
    assert {"lmd", "lmd_ratio", "lmd_centred", "aperture_correlation", "tracker_noise", "score"} <= set(found)
    assert found["lmd"] < 100  # an untrained network stays near the mean; a pixel is 1/500 of a face
    assert all(np.isfinite(v) for v in found.values())


def test_split_is_by_time_with_a_gap(clip: MotionClip) -> None:
    data = MotionData.split([clip.part(0, 100), clip.part(100, 320)], Fraction(1, 4), Fraction(1))
    assert [len(c) for c in data.train] == [100, 115]
    assert [len(c) for c in data.validation] == [80]
    np.testing.assert_array_equal(data.validation[0].landmarks, clip.landmarks[240:])
    assert len(data.validation[0].features["logfbank"]) == 320


def test_too_little_footage_is_refused(clip: MotionClip) -> None:
    with pytest.raises(SubjectError, match="64"):
        MotionData.split([clip.part(0, 60)])


def test_features_must_fit_the_frame_rate() -> None:
    with pytest.raises(ConfigError, match="1 or 4 rows"):
        MotionConfig(features=()).cascade()
    with pytest.raises(ConfigError, match="logfbank, logmel, mfcc12, mfcc80, pauses, phones"):
        MotionConfig(features=("mfcc",)).cascade()
