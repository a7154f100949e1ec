"""Coarse to fine: which part learns when, from the budget's share alone, and the same after a resume."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lipwright.core.errors import ConfigError
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.data import TranslationData
from lipwright.render.translation.schedule import Stage, adversarial_weight, learning_rate, stage
from lipwright.render.translation.task import TranslationTask

LOCAL = TranslationConfig(
    size=64, generator="local", ngf=4, n_downs=2, n_blocks=1, n_local_blocks=1, ndf=4, learning_rate=1e-3,
    coarse_share=0.4, fixed_share=0.2,
)  # fmt: skip


def make(person: Any, config: TranslationConfig) -> TranslationTask:
    train, held = np.arange(0, 40), np.arange(40, 48)
    data = TranslationData.from_frames(person.frames, person.landmarks, person.pose, config, train, held)
    return TranslationTask(config, data, seed=2)


def test_stages_follow_the_budget() -> None:
    assert [stage(LOCAL, f) for f in (0.0, 0.39, 0.41, 0.59, 0.61, 1.0)] == [
        *(Stage.COARSE, Stage.COARSE, Stage.ENHANCER, Stage.ENHANCER, Stage.WHOLE, Stage.WHOLE)
    ]
    assert stage(TranslationConfig(), 0.0) is Stage.WHOLE
    assert [learning_rate(LOCAL, f) for f in (0, 0.5, 0.75, 1)] == pytest.approx([1e-3, 1e-3, 5e-4, 1e-5])
    assert [adversarial_weight(LOCAL, f) for f in (0.05, 0.1, 0.15)] == pytest.approx([0, 0.5, 1])
    assert adversarial_weight(replace(LOCAL, gan_weight=0.0, feature_weight=0.0), 1.0) == 0
    with pytest.raises(ConfigError, match="together they are at most 1"):
        TranslationConfig(coarse_share=0.7, fixed_share=0.4)


def test_each_stage_moves_its_own_part(person: Any) -> None:
    task = make(person, LOCAL)
    names = ("model.1.weight", "model1_1.1.weight", "attention.0.query_conv.weight")

    def moved(fraction: float, step: int) -> list[bool]:
        before = {k: v.clone() for k, v in task.modules()["learner"].state_dict().items()}
        task.budget_fraction(fraction)
        task.modules()["learner"].get_parameter("attention.0.gamma").data.fill_(0.5)
        task.step(step)
        after = task.modules()["learner"].state_dict()
        return [not torch.equal(before[n], after[n]) for n in names]

    assert moved(0.2, 0) == [True, False, True]
    assert moved(0.5, 1) == [False, True, False]
    assert moved(0.7, 2) == [True, True, True]


def test_the_coarse_stage_learns_at_half_size(person: Any) -> None:
    task = make(person, replace(LOCAL, swap=0.0))
    task.budget_fraction(0.0)
    losses = [task.step(i)["pixel"] for i in range(25)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:3])
    head = task.modules()["coarse_head"].state_dict()["1.weight"]
    assert not torch.equal(head, make(person, LOCAL).modules()["coarse_head"].state_dict()["1.weight"])


@pytest.mark.parametrize("temporal", [False, True])
def test_a_resumed_run_takes_the_same_steps_through_all_stages(person: Any, temporal: bool) -> None:
    config = replace(LOCAL, temporal_inputs=temporal, temporal_discriminator=temporal)
    fractions = (0.1, 0.3, 0.45, 0.55, 0.7, 0.9)

    def go(task: TranslationTask, steps: range) -> None:
        for i in steps:
            task.budget_fraction(fractions[i])
            task.step(i)

    whole, first, resumed = (make(person, config) for _ in range(3))
    go(whole, range(6))
    go(first, range(3))
    for name, part in resumed.modules().items():
        part.load_state_dict(first.modules()[name].state_dict())
    for name, optimiser in resumed.optimisers().items():
        optimiser.load_state_dict(first.optimisers()[name].state_dict())
    go(resumed, range(3, 6))
    for name, part in whole.modules().items():
        for key, value in part.state_dict().items():
            assert torch.equal(value, resumed.modules()[name].state_dict()[key]), (name, key)
