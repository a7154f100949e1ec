"""Samples and steps: repeatable, resumable, able to learn, and without a view of the template's mouth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lipwright.core.errors import ShapeError, SubjectError
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.crops import Crops
from lipwright.render.translation.data import TranslationData, _Change
from lipwright.render.translation.quality import mouth_quality, sharpness
from lipwright.render.translation.task import TranslationTask

CONFIG = TranslationConfig(size=64, ngf=8, n_downs=3, n_blocks=1, ndf=8, skips=True, batch=2, learning_rate=2e-3)


def make_data(person: Any, config: TranslationConfig) -> TranslationData:
    train, held = np.arange(0, 40), np.arange(40, 48)
    return TranslationData.from_frames(person.frames, person.landmarks, person.pose, config, train, held)


@pytest.fixture(scope="module")
def data(person: Any) -> TranslationData:
    return make_data(person, CONFIG)


def test_batches_repeat_by_step_and_differ_between_steps(data: TranslationData) -> None:
    a, b, c = (data.stretch(CONFIG, 5, step)[-1] for step in (7, 7, 8))
    assert torch.equal(a.inputs, b.inputs)
    assert torch.equal(a.target, b.target)
    assert not torch.equal(a.inputs, c.inputs)
    assert a.inputs.shape == (2, 6, 64, 64)


def test_plain_samples_are_the_frames(data: TranslationData) -> None:
    batch = data.plain(np.array([42]), CONFIG)
    expected = data.crops[42].transpose(2, 0, 1) / 127.5 - 1
    np.testing.assert_allclose(batch.target[0].numpy(), expected, atol=1e-6)
    assert torch.equal(batch.target, batch.outside * (1 - batch.mask) + batch.target * batch.mask)


def test_a_swapped_template_surrounds_the_frames_own_mouth(data: TranslationData) -> None:
    near = replace(data, pose_rad=np.zeros_like(data.pose_rad))
    config = replace(CONFIG, swap=1.0, jitter_px=0.0, photometric=0.0, shift=0.0)
    inputs, target, mask, around, *_ = near._augmented(0, near.train, config, np.random.default_rng(0))[-1]
    assert not np.array_equal(target, around)
    own = data.crops[0].transpose(2, 0, 1) / 127.5 - 1
    np.testing.assert_allclose(target, own, atol=1e-6)
    outside = np.broadcast_to(mask == 0, around.shape)
    like_partner, like_own = (np.abs(inputs[3:] - x)[outside] < 1e-6 for x in (around, own))
    assert like_partner.mean() > like_own.mean() + 0.1  # flat skin is alike in both, the blank's margin in none


def test_a_shift_moves_picture_hull_and_landmarks_together(data: TranslationData) -> None:
    still = replace(CONFIG, swap=0.0, jitter_px=0.0, photometric=0.0, shift=0.0)
    moved = _Change(dx=3, dy=-2)
    a = data._sample(4, 4, data.landmarks[4], still)
    b = data._sample(4, 4, data.landmarks[4], still, moved)
    for x, y in ((a[0][0], b[0][0]), (a[0][2], b[0][2]), (a[1], b[1]), (a[2], b[2]), (a[3], b[3])):
        np.testing.assert_allclose(x[..., 8:56, 8:56], y[..., 6:54, 11:59], atol=1e-6)
    assert (b[4][0] - a[4][0], b[4][1] - a[4][1]) == (3, -2)


def test_wrong_shapes_and_missing_frames_are_refused(data: TranslationData) -> None:
    with pytest.raises(ShapeError, match="crops"):
        replace(data, crops=Crops.of([np.zeros((32, 32, 3), np.uint8)] * 48, 32))
    with pytest.raises(SubjectError, match="validation"):
        replace(data, validation=np.arange(0))


@pytest.mark.parametrize("mode", ["sewn", "full-face"])
def test_a_resumed_run_repeats_the_uninterrupted_one(person: Any, mode: str) -> None:
    config = replace(CONFIG, mode=mode, ngf=4, ndf=4)
    whole = TranslationTask(config, make_data(person, config), seed=3)
    whole.budget_fraction(0.3)
    first = [whole.step(i) for i in range(2)]
    assert {"pixel", "laplacian", "gan", "features", "mouth_gan", "judge", "mouth_judge"} <= set(first[0])
    resumed = TranslationTask(config, whole.data, seed=3)
    resumed.budget_fraction(0.3)
    for name, part in resumed.modules().items():
        part.load_state_dict({k: v.clone() for k, v in whole.modules()[name].state_dict().items()})
    for name, optimiser in resumed.optimisers().items():
        optimiser.load_state_dict(whole.optimisers()[name].state_dict())
    assert whole.step(2) == resumed.step(2)


def test_the_same_seed_starts_the_same_without_touching_the_global_state(data: TranslationData) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    a, b, c = (TranslationTask(CONFIG, data, seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    weights = [t.modules()["generator"].state_dict()["model.1.weight"] for t in (a, b, c)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_budget_sets_rate_and_adversaries(data: TranslationData) -> None:
    task = TranslationTask(CONFIG, data, seed=0)
    rates = []
    for fraction in (0.0, 0.5, 0.75, 1.0):
        task.budget_fraction(fraction)
        rates.append(task.optimisers()["generator"].param_groups[0]["lr"])
    assert rates == pytest.approx([2e-3, 2e-3, 1e-3, 2e-5])
    task.budget_fraction(0.0)
    before = task.modules()["discriminator"].state_dict()["scale1_layer0.0.weight"].clone()
    assert set(task.step(0)) == {"pixel", "laplacian"}
    assert torch.equal(before, task.modules()["discriminator"].state_dict()["scale1_layer0.0.weight"])
    task.budget_fraction(0.5)
    task.step(1)
    assert not torch.equal(before, task.modules()["discriminator"].state_dict()["scale1_layer0.0.weight"])


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["sewn", "full-face"])
def test_a_few_frames_can_be_learned(person: Any, mode: str) -> None:
    config = replace(CONFIG, mode=mode, swap=0.0, jitter_px=0.0, photometric=0.0, shift=0.0)
    few = replace(make_data(person, config), train=np.array([5, 15]), validation=np.array([5, 15]))
    task = TranslationTask(config, few, seed=0)
    start = task.validate()["mouth_psnr_db"]
    for i in range(160):
        task.budget_fraction(i / 160)
        task.step(i)
    end = task.validate()
    assert end["mouth_psnr_db"] > max(23.0, start + 8)
    assert 0.4 < end["mouth_sharpness"] < 3  # a blur that scores well in PSNR has less than 0.2


def test_preview_shows_held_out_frames(data: TranslationData) -> None:
    sheet = TranslationTask(CONFIG, data, seed=0).preview()
    width, height = data.geometry.mouth_box()
    assert sheet.shape == (4 * (64 + 2 * height), max(3 * 64, 3 * 2 * width), 3)
    assert np.array_equal(sheet[:64, :64], data.crops[40])


def test_quality_of_equals_and_of_a_known_error() -> None:
    rng = np.random.default_rng(0)
    real = [rng.integers(20, 235, (32, 32, 3)).astype(np.uint8) for _ in range(2)]
    worse = [r + np.uint8(10) for r in real]
    assert mouth_quality(worse, real)["mouth_psnr_db"] == pytest.approx(10 * np.log10(255**2 / 100))
    assert mouth_quality(worse, real)["mouth_sharpness"] == pytest.approx(1, abs=0.01)
    assert mouth_quality(worse, real)["score"] < mouth_quality([r // 2 for r in real], real)["score"]
    flat = [np.full_like(r, 90) for r in real]
    assert mouth_quality(flat, real)["mouth_sharpness"] == 0
    assert sharpness(flat[0]) == 0


def test_stripes_are_no_sharpness() -> None:
    """A transposed convolution's stripes once passed for the detail of a real mouth."""
    flat = np.full((32, 32, 3), 120, np.uint8)
    y, x = np.mgrid[:32, :32]
    for stripes in (x % 2, y % 2, (x + y) % 2):
        assert sharpness(flat + np.uint8(20) * stripes[..., None].astype(np.uint8)) == pytest.approx(0, abs=1e-9)
    waves = 120 + 20 * np.cos(2 * np.pi * x / 8)
    detail = np.repeat(waves.round()[..., None], 3, 2).astype(np.uint8)
    # Of a wave of eight pixels the blur leaves cos(pi / 8)^2, the Laplacian takes 2 - 2 cos(pi / 4).
    expected = (20 * np.cos(np.pi / 8) ** 2 * (2 - 2 * np.cos(np.pi / 4))) ** 2 / 2
    assert sharpness(detail) == pytest.approx(expected, rel=0.05)
