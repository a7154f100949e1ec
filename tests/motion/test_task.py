from __future__ import annotations

import copy
from fractions import Fraction

import numpy as np
import pytest
import torch

from lipwright.core.contracts import Conditions
from lipwright.core.errors import ConfigError, SubjectError
from lipwright.motion.config import AugmentConfig, MotionConfig
from lipwright.motion.data import MotionClip, MotionData
from lipwright.motion.scores import aperture, correlation
from lipwright.motion.task import MotionTask

from .conftest import make_clip

SMALL = MotionConfig(width=32, batch=8, dropout=0.0, learning_rate=3e-3)


def trained(config: MotionConfig, clip: MotionClip, steps: int) -> MotionTask:
    task = MotionTask(config, MotionData((clip,)), seed=0)
    for i in range(steps):
        task.budget_fraction(i / steps)
        task.step(i)
    return task


def mse(task: MotionTask, clip: MotionClip, features: dict[str, np.ndarray]) -> float:
    out = task.model().predict(features, clip.conditions)
    return float(((out - clip.landmarks) ** 2).mean())


@pytest.mark.slow
@pytest.mark.parametrize("separate", [False, True])
def test_overfits_64_frames_and_hears_the_right_sound(separate: bool) -> None:
    clip = make_clip(64)
    config = MotionConfig(
        width=32, batch=8, dropout=0.0, learning_rate=3e-3, separate=separate, context_frames=0
    )
    task = trained(config, clip, 150)
    mean_error = float(((clip.landmarks - clip.landmarks.mean(axis=0)) ** 2).mean())
    right = mse(task, clip, dict(clip.features))
    assert right < 0.1 * mean_error
    shuffled = clip.features["logfbank"].reshape(64, 4, 26)[np.random.default_rng(3).permutation(64)]
    assert mse(task, clip, {"logfbank": shuffled.reshape(256, 26)}) > 3 * right


@pytest.mark.slow
def test_a_planted_delay_is_learnt() -> None:
    """Landmarks that follow their sound three frames late must come out three frames late."""
    clip = make_clip(320, delay=3)
    other = make_clip(320, seed=9)
    out = trained(SMALL, clip, 120).model().predict(other.features, other.conditions)
    own, heard = aperture(out), aperture(other.landmarks)
    lags = range(-6, 7)
    best = max(lags, key=lambda k: correlation(np.roll(own, -k)[10:-10], heard[10:-10]))
    assert best == 3


@pytest.mark.slow
def test_a_separate_model_ignores_what_cheeks_know_of_the_mouth() -> None:
    """Cheeks that move with the jaw: over other speech the result must not follow the template's mouth."""
    plain, other = make_clip(640), make_clip(640, seed=5)

    def leaky(clip: MotionClip) -> Conditions:
        jaw = clip.landmarks[:, 20:, 1].mean(axis=1) - clip.landmarks[:, 0, 1]
        return Conditions(clip.conditions.pose_rad, clip.conditions.cheeks + 0.5 * jaw[:, None, None])

    def leak(config: MotionConfig) -> float:
        clip = MotionClip(plain.features, plain.landmarks, leaky(plain), plain.weight)
        out = trained(config, clip, 60).model().predict(other.features, leaky(plain))
        return abs(correlation(aperture(out), aperture(plain.landmarks)))

    separate = MotionConfig(
        width=32, batch=8, dropout=0.0, learning_rate=3e-3, separate=True, leak_penalty=10.0
    )
    assert leak(SMALL) > 0.5
    assert leak(separate) < 0.15


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
    assert rates == pytest.approx([3e-3, (3e-3 + 1e-5) / 2, 1e-5, 1e-5])


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
    with pytest.raises(ConfigError, match="logfbank, phones"):
        MotionConfig(features=("mfcc",)).cascade()
