"""The training task: it learns, every part takes part, and a resumed run is the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core.checkpoint import load_into, load_tensors, save_tensors
from lipwright.render.crossmodal.backbones import ConvTranspose2d
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.crossmodal.networks import CrossModal
from lipwright.render.crossmodal.pairs import PicturePairs
from lipwright.render.crossmodal.prototypes import Prototypes
from lipwright.render.crossmodal.task import CrossModalTask
from lipwright.render.translation.crops import Crops
from lipwright.render.translation.held_out import rgb8
from lipwright.train.loop import Budget, Loop

FIXED = tuple(f"prototypes.{name}" for name in ("mouths", "heads", "weight", "place"))
"""What prototypes keep as they were found."""


def few(data: CrossModalData, frames: int = 4) -> CrossModalData:
    """The data with few frames to learn by heart, which also validate."""
    return replace(data, train=np.arange(frames) * 9, validation=np.arange(frames) * 9)


def weights(task: CrossModalTask) -> dict[str, torch.Tensor]:
    return {f"{n}.{k}": v.clone() for n, m in task.modules().items() for k, v in m.state_dict().items()}


def shown(data: CrossModalData, pictures: torch.Tensor) -> torch.Tensor:
    """The mouth squares of (B, 3, S, S) pictures in 8-bit levels."""
    x, y, side = data.geometry.mouth_square
    return torch.stack([torch.from_numpy(rgb8(p)[y : y + side, x : x + side].copy()).float() for p in pictures])


@pytest.mark.slow
def test_one_head_learns_to_say_what_it_hears(data: CrossModalData, config: CrossModalConfig) -> None:
    """Every picture has the same head: speech alone can tell which of them is wanted."""
    i = np.array([0, 9, 18, 27])
    heads, mouths = (Crops.joined([Crops.of([of[n]], 256) for n in i]) for of in (data.head, data.mouth))
    pairs = PicturePairs(i, np.zeros_like(i), data.landmarks[i], heads, mouths)
    quick = replace(config, gan_weight=0.0, feature_weight=0.0, learning_rate=2e-3, batch=4, width=8, ema=0.9)
    quick = replace(quick, augmentation="ours", synthetic=1.0, jitter_px=0.0, shift=0.0)
    task = CrossModalTask(quick, data, pairs, seed=1)
    for step in range(60):
        task.budget_fraction(step / 60)
        task.step(step)
    batch = data.plain(i, quick)
    strokes, real = batch.strokes[:1].expand(4, -1, -1, -1), shown(data, batch.head)
    own, other = (
        (shown(data, task._draw(strokes, batch.speech.roll(turn, 0))[0]) - real).square().mean() for turn in (0, 1)
    )
    apart = (real - real.roll(1, 0)).square().mean()
    assert own < 250
    assert other - own > 0.1 * apart  # another picture's speech draws another mouth, in so few steps faintly


def test_everything_that_plays_moves(data: CrossModalData, pairs: PicturePairs, config: CrossModalConfig) -> None:
    config = replace(config, augmentation="ours", batch=2)
    task = CrossModalTask(config, data, pairs, seed=4)  # its samples leave several prototypes to choose among
    task.budget_fraction(0.9)
    before = weights(task)
    told = task.step(0)
    assert set(told) == {
        "pixel", "perceptual", "gan", "features", "judge",
        "mouth_pixel", "mouth_perceptual", "mouth_gan", "mouth_features", "mouth_judge",
    }  # fmt: skip
    assert all(np.isfinite(value) and value > 0 for value in told.values())
    after = weights(task)
    for name, tensor in before.items():
        learns = not name.endswith(("encoder.mean", "encoder.scale", "decoder.base", "decoder.moves", *FIXED))
        assert torch.equal(after[name], tensor) != learns, name
    assert set(task.speed()) == {"step_ms", "wait_ms", "loader_fps"}


def test_judges_join_after_their_time(data: CrossModalData, config: CrossModalConfig) -> None:
    task = CrossModalTask(config, data, None, seed=1)
    task.budget_fraction(0.01)
    assert set(task.step(0)) == {"pixel", "perceptual", "mouth_pixel", "mouth_perceptual"}


def test_the_perceptual_distance_takes_the_place_of_the_pyramid(data: CrossModalData, config: CrossModalConfig) -> None:
    class Tenth(torch.nn.Module):
        def forward(self, fake: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
            return 0 * fake.sum() + 0.1

    task = CrossModalTask(replace(config, mouth_weight=3.0), data, None, seed=1, perceptual=Tenth())
    told = task.step(0)
    assert told["perceptual"] == pytest.approx(1.0)
    assert told["mouth_perceptual"] == pytest.approx(3.0)


def test_a_resumed_run_is_the_run(data: CrossModalData, config: CrossModalConfig, tmp_path: Path) -> None:
    def task() -> CrossModalTask:
        return CrossModalTask(replace(config, batch=1), few(data, 2), None, seed=3)

    whole = task()
    Loop(whole, tmp_path / "whole", Budget(steps=4)).run()

    class KilledError(Exception):
        pass

    class Killed:
        """The task until it dies before step 2."""

        def __init__(self, inner: CrossModalTask, loop_at: int) -> None:
            self.inner, self.at, self.kept = inner, loop_at, inner.kept
            self.modules, self.optimisers = inner.modules, inner.optimisers
            self.budget_fraction, self.validate = inner.budget_fraction, inner.validate

        @property
        def complete(self) -> bool:
            return self.inner.complete

        def step(self, step_index: int) -> dict[str, float]:
            if step_index == self.at:
                raise KilledError
            return self.inner.step(step_index)

    loop = Loop(Killed(task(), 2), tmp_path / "parts", Budget(steps=4))
    with pytest.raises(KilledError):
        loop.run()
    loop._save()
    resumed = task()
    Loop(resumed, tmp_path / "parts", Budget(steps=4)).run(resume=True)
    for name, tensor in weights(whole).items():
        assert torch.equal(weights(resumed)[name], tensor), name


def test_what_is_saved_draws_the_same_bit_for_bit(
    data: CrossModalData, config: CrossModalConfig, tmp_path: Path
) -> None:
    task = CrossModalTask(config, data, None, seed=1)
    task.step(0)
    network = task.network()
    save_tensors(tmp_path / "net.safetensors", network.state_dict())
    tensors = load_tensors(tmp_path / "net.safetensors")[0]
    again = CrossModal(config, data.geometry.mouth_square, Prototypes.shape_in(tensors))
    load_into(again, tensors, "the file")
    batch = data.plain(np.array([44]), config)
    with torch.no_grad():
        for a, b in zip(network(batch.strokes, batch.speech), again(batch.strokes, batch.speech), strict=True):
            assert torch.equal(a, b)


def test_previews_show_head_and_mouth(data: CrossModalData, config: CrossModalConfig) -> None:
    sheet = CrossModalTask(config, few(data, 2), None, seed=1).preview()
    assert sheet.shape == (2 * (256 + 256), 3 * (256 + 256), 3)  # two frames; head and mouth picture, then the mouth


def test_pictures_begin_as_the_mean_and_smooth(data: CrossModalData, config: CrossModalConfig) -> None:
    """Before the first step the mean picture is what is drawn, up to a faint pattern without a grid of two pixels."""
    head, mouth = data.mean()
    network = CrossModalTask(config, data, None, seed=1).network().eval()
    batch = data.plain(data.train[:1], config)
    with torch.no_grad():
        drawn = network(batch.strokes, batch.speech)
    for picture, mean in zip(drawn, (head, mouth), strict=True):
        off = (picture[0].permute(1, 2, 0).numpy() + 1) * 127.5 - np.clip(mean, 1.3, 253.7)
        assert np.abs(off).mean() < 25
    plain = CrossModalTask(replace(config, mean_base=False), data, None, seed=1).network()
    assert float(plain.head_decoder.base.abs().max()) == 0


def test_enlargement_begins_without_a_grid() -> None:
    layer = ConvTranspose2d(3, 2, 3, stride=2, padding=1, output_padding=1, bias=False)
    layer.start_smooth()
    flat = layer(torch.ones(1, 3, 8, 8))[0, :, 1:-1, 1:-1]
    assert float(flat.amax((1, 2)).sub(flat.amin((1, 2))).max().detach()) < 1e-5, "a flat map stays flat"
