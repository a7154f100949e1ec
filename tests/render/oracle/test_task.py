"""Training: mouth, then head around it; exact resume; both learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tests.render.oracle.conftest import tiny
from torch import nn

from lipwright.core.errors import ConfigError
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.quality import drawing_of, mouth_box, oracle_quality, oracle_sheet
from lipwright.render.oracle.task import OracleTask
from lipwright.train.loop import Budget, Loop


def weights(module: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])


def test_first_the_mouth_learns_and_then_the_head_alone(data: OracleData) -> None:
    task = OracleTask(tiny(mouth_share=0.5), data, 0)
    names = ("mouth", "mouth_discriminator", "head", "head_discriminator")
    for fraction, moving in ((0.3, "mouth"), (0.7, "head")):
        before = {name: weights(task.modules()[name]) for name in names}
        task.budget_fraction(fraction)
        for step in range(2):
            losses = task.step(step)
            assert {"pixel", "laplacian", "gan", "features", "judge"} == set(losses)
        for name in names:
            same = torch.equal(before[name], weights(task.modules()[name]))
            assert same == (not name.startswith(moving)), f"{name} at {fraction}"


def until(step: Callable[[int], dict[str, float]], killed_at: int, index: int) -> dict[str, float]:
    if index == killed_at:
        raise KeyboardInterrupt
    return step(index)


def test_a_killed_run_goes_on_as_if_it_had_not_been(data: OracleData, tmp_path: Path) -> None:
    def task() -> OracleTask:
        return OracleTask(tiny(mouth_share=0.5), data, 4)

    whole = task()
    Loop(whole, tmp_path / "a", Budget(steps=8), "oracle").run()
    for killed_at in (3, 6):  # in the first stage, and in the second
        folder = tmp_path / f"b{killed_at}"
        first = task()
        first.step = partial(until, first.step, killed_at)  # type: ignore[method-assign]
        loop = Loop(first, folder, Budget(steps=8), "oracle")
        with pytest.raises(KeyboardInterrupt):
            loop.run()
        loop._save()
        second = task()
        Loop(second, folder, Budget(steps=8), "oracle").run(resume=True)
        for name in ("mouth", "head", "head_learner"):
            np.testing.assert_array_equal(weights(whole.modules()[name]), weights(second.modules()[name]))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["chain", "single"])
def test_a_trained_oracle_draws_the_person(data: OracleData, tmp_path: Path, kind: str) -> None:
    task = OracleTask(tiny(kind), data, 0)
    begun = oracle_quality(drawing_of(task.oracle(), data), data)
    Loop(task, tmp_path, Budget(steps=160), "oracle").run()
    scores = oracle_quality(drawing_of(task.oracle(), data), data)
    assert scores["mouth_psnr_db"] > begun["mouth_psnr_db"] + 6
    assert scores["head_psnr_db"] > begun["head_psnr_db"] + 6
    assert (tmp_path / "oracle-preview.png").is_file()


def test_the_mouth_follows_the_keypoints_and_not_the_head(data: OracleData) -> None:
    """Whatever the weights, a head drawn around another mouth shows that mouth."""
    task = OracleTask(tiny(), data, 0)
    oracle = task.oracle()
    other = data.landmarks[:1].copy()
    other[:, 48:] = data.landmarks[6, 48:]
    (_, mouth), (_, changed) = (oracle.pictures(p, data.outlines[:1]) for p in (data.landmarks[:1], other))
    assert not np.array_equal(mouth, changed)


def test_scores_know_a_perfect_and_a_blurred_oracle(data: OracleData) -> None:
    def real(_: object, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.stack([data.heads[int(i)] for i in frames]), np.stack([data.mouth(int(i)) for i in frames])

    def soft(points: object, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        heads, mouths = real(points, frames)
        return heads, np.stack([cv2.GaussianBlur(m, (0, 0), 1.5) for m in mouths])

    perfect, blurred = oracle_quality(real, data), oracle_quality(soft, data)
    assert perfect["mouth_psnr_db"] > 100
    assert perfect["mouth_sharpness"] == pytest.approx(1)
    assert blurred["mouth_sharpness"] < 0.3
    assert blurred["head_psnr_db"] == perfect["head_psnr_db"]
    assert blurred["score"] > perfect["score"]
    rows, columns = mouth_box(data, int(data.validation[0]))
    assert 0 <= rows.start < rows.stop <= data.mouth_size
    assert 0 <= columns.start < columns.stop <= data.mouth_size
    assert oracle_sheet(real, data, 2).ndim == 3


def test_heads_are_learnt_around_generated_mouths_half_of_the_time(data: OracleData) -> None:
    config = tiny()
    drawn = np.mean([data.head_batch(config, 0, step).generated.numpy().mean() for step in range(60)])
    assert 0.3 < drawn < 0.7
    never = replace(config, generated_mouths=0.0)
    assert not any(bool(data.head_batch(never, 0, step).generated.any()) for step in range(10))


def test_the_memory_is_not_trained(data: OracleData) -> None:
    with pytest.raises(ConfigError, match="learns nothing"):
        OracleTask(tiny("memory"), data, 0)
