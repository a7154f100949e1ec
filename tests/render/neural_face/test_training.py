from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from lipwright.core.errors import ShapeError, SubjectError
from lipwright.render.finish import Finish
from lipwright.render.neural_face.config import AUDIODVP, NeuralFaceConfig
from lipwright.render.neural_face.data import FaceData
from lipwright.render.neural_face.networks import Refine
from lipwright.render.neural_face.task import NeuralFaceTask
from lipwright.render.translation.held_out import HeldOut
from lipwright.render.translation.losses import vanilla
from lipwright.render.translation.quality import mouth_quality


def test_the_same_step_gives_the_same_batch(data: FaceData, config: NeuralFaceConfig) -> None:
    first, again, other = (data.batch(config, 1, step) for step in (5, 5, 6))
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.target, again.target)
    assert not torch.equal(first.inputs, other.inputs)
    assert first.inputs.shape == (2, 28, 64, 64)
    # Two processes with one sample each see what one process with two sees.
    one = replace(config, batch=1)
    for rank in range(2):
        assert torch.equal(data.batch(one, 1, 5, rank).inputs[0], first.inputs[rank])


def test_neighbours_stop_at_the_ends_of_a_stretch(data: FaceData) -> None:
    assert data.neighbours(0, 3) == [0, 0, 0, 0, 1, 2, 3]
    assert data.neighbours(20, 2) == [18, 19, 20, 21, 22]
    gap = replace(data, numbers=data.numbers + 5 * (data.numbers > 20))
    assert gap.neighbours(20, 2) == [18, 19, 20, 20, 20]
    assert gap.neighbours(21, 2) == [21, 21, 21, 22, 23]
    assert [len(run) for run in gap.runs(np.arange(15, 26), 3, 4)] == [4, 4, 4]


def test_targets_show_the_frame_inside_the_mask_and_its_surroundings_outside(
    data: FaceData, config: NeuralFaceConfig
) -> None:
    plain = data.plain(np.array([3]), config)
    picture = (torch.from_numpy(data.crops[3]).permute(2, 0, 1) / 127.5 - 1).float()
    assert torch.allclose(plain.target[0], picture, atol=1e-5)
    left, top, width, height = plain.mouth[0]
    assert 0 <= left <= 64 - width
    assert 0 <= top <= 64 - height
    assert plain.mask[0, 0, top + height // 2, left + width // 2] == 1


def test_every_parameter_learns_and_the_picture_gets_nearer(data: FaceData, config: NeuralFaceConfig) -> None:
    small = replace(config, gan_start=0.0, gan_full=0.1, mouth_discriminator=True, base=False)
    task = NeuralFaceTask(small, data, 0)
    task.budget_fraction(0.5)
    before = task.validate()["mouth_psnr_db"]
    losses = [task.step(i) for i in range(40)]
    for part, module in task.modules().items():
        if part == "generator":
            continue  # the running average of the learner
        dead = [k for k, p in module.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
        assert dead == [], part
        assert any(p.grad.abs().sum() > 0 for p in module.parameters() if p.grad is not None)
    assert np.mean([x["pixel"] for x in losses[-5:]]) < 0.8 * np.mean([x["pixel"] for x in losses[:3]])
    assert task.validate()["mouth_psnr_db"] > before + 1
    assert task.preview().shape[2] == 3
    assert task.mouths().shape[2] == 3


def test_the_error_that_drawings_repeat_is_learnt_when_training_is_over(
    data: FaceData, config: NeuralFaceConfig
) -> None:
    task = NeuralFaceTask(replace(config, residual=30), data, 0)
    task.budget_fraction(0.5)
    for i in range(10):
        task.step(i)
    renderer = task.renderer()
    assert renderer.finish.residual is not None
    assert renderer.finish.residual.errors.shape[0] == 3  # two components of thirty frames, and the mean
    held_out = HeldOut(config, data, lambda batch: batch, task.modules()["generator"])
    with torch.no_grad():
        runs = data.runs(data.validation, 7, 1)
        plain, mended = (
            mouth_quality(*held_out._mouths(runs, of)) for of in (Finish(), Finish(residual=renderer.finish.residual))
        )
    assert mended["mouth_psnr_db"] > plain["mouth_psnr_db"] + 1
    assert task.validate()["mouth_psnr_db"] > plain["mouth_psnr_db"] + 1  # from now on, what will be shown
    task.config = replace(config, residual=0)
    assert task.renderer().finish.residual is None


def test_a_picture_begins_as_the_drawing_on_the_mean_picture(data: FaceData, config: NeuralFaceConfig) -> None:
    task = NeuralFaceTask(replace(config, base=True), data, 0)
    batch = data.plain(np.array([4]), config)
    with torch.no_grad():
        first = task.modules()["generator"](batch.inputs)[0].permute(1, 2, 0).numpy()
    drawing = data.drawn[4] / np.float32(127.5) - 1
    seen = data.drawn[4].max(2) > 1
    np.testing.assert_allclose(first[seen], drawing[seen], atol=1e-5)
    np.testing.assert_allclose(first[~seen], data.mean().transpose(1, 2, 0)[~seen], atol=1e-5)


@pytest.mark.parametrize("seen", [True, False])
def test_what_goes_on_around_the_drawing_is_learnt_where_it_is_seen(
    data: FaceData, config: NeuralFaceConfig, seen: bool
) -> None:
    """Below a closed jaw the neck is drawn: a network that learnt nothing beyond the mask draws anything there."""

    def error(outside: float) -> float:
        plain = replace(config, base=False, gan_weight=0.0, feature_weight=0.0, surround=seen, outside_weight=outside)
        task = NeuralFaceTask(plain, data, 0)
        task.budget_fraction(0.5)
        for i in range(30):
            task.step(i)
        batch = data.plain(np.array([4]), plain)
        with torch.no_grad():
            raw = task.modules()["learner"](batch.inputs)
        return float(((raw - batch.target).abs() * (batch.mask < 0.01)).mean())

    with_it, without = error(1.0), error(0.0)
    if seen:
        assert with_it < 0.9 * without
    else:
        assert with_it == without


def test_audiodvps_own_training_runs(data: FaceData) -> None:
    """L1 and a vanilla PatchGAN from the first step; no labels and no surroundings; statistics of norms are kept."""
    paper = replace(AUDIODVP, size=64, ngf=4, n_downs=5, ndf=4, batch=3)
    task = NeuralFaceTask(paper, data, 0)
    task.budget_fraction(0.001)
    assert {"pixel", "gan", "judge"} <= set(task.step(0))
    task.step(1)
    parts = task.modules()
    assert parts["discriminator"].state_dict()["model.0.weight"].shape == (4, 24, 4, 4)
    learner, average = (parts[name].state_dict() for name in ("learner", "generator"))
    for key, value in learner.items():
        assert torch.equal(average[key], value), key  # without averaging it is the learner
    assert any("running_var" in key and not torch.equal(v, torch.ones_like(v)) for key, v in average.items())


def test_the_vanilla_loss_is_cross_entropy() -> None:
    told = [[torch.zeros(1), torch.tensor([0.0, np.log(3.0)])]]
    # A logit of log 3 is a probability of 3/4.
    np.testing.assert_allclose(float(vanilla(told, 1.0)), (np.log(2) + np.log(4 / 3)) / 2, rtol=1e-6)
    np.testing.assert_allclose(float(vanilla(told, 0.0)), (np.log(2) + np.log(4)) / 2, rtol=1e-6)


def test_data_that_does_not_fit_is_refused(data: FaceData) -> None:
    with pytest.raises(ShapeError, match="pose_rad"):
        replace(data, pose_rad=data.pose_rad[:-1])
    with pytest.raises(ShapeError, match="drawn"):
        replace(data, drawn=data.drawn.chosen(np.arange(3), 90))
    with pytest.raises(SubjectError, match="film longer"):
        replace(data, validation=np.zeros(0, np.int64))


def test_features_below_zero_can_come_back() -> None:
    """On a base, drawing nothing is the quickest way to err less: features pushed below zero must still hear errors."""
    refine = Refine(8, "group")
    for unit in refine.model:
        torch.nn.init.constant_(unit[1].bias, -9.0)
    error = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 8, 6, 6))).float()
    (refine(error.flip(-1)) * error).sum().backward()
    assert float(refine.model[0][0].weight.grad.abs().max()) > 1e-6
