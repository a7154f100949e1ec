"""What makes large crops affordable: gradient checkpointing, coded crops, compiled networks change no numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lipwright.core.errors import CheckpointError
from lipwright.render.translation.config import TranslationConfig, preset
from lipwright.render.translation.crops import Crops
from lipwright.render.translation.data import TranslationData
from lipwright.render.translation.networks import build_generator
from lipwright.render.translation.task import TranslationTask

SMALL = TranslationConfig(size=64, ngf=4, n_downs=2, n_blocks=2, ndf=4)


@pytest.mark.parametrize("generator", ["global", "local"])
@pytest.mark.parametrize("skips", [False, True])
def test_checkpointing_gives_the_same_gradients(generator: str, skips: bool) -> None:
    torch.manual_seed(0)
    plain = build_generator(replace(SMALL, generator=generator, skips=skips))
    for block in plain.attention:
        block.gamma.data.fill_(0.5)
    frugal = build_generator(replace(SMALL, generator=generator, skips=skips, checkpoint_from=64))
    frugal.load_state_dict(plain.state_dict())
    x = torch.randn(1, 6, 64, 64)
    results = []
    for network in (plain, frugal):
        y = network(x)
        y.square().mean().backward()
        results.append((y.detach(), [p.grad for p in network.parameters()]))
    assert torch.equal(results[0][0], results[1][0])
    for a, b in zip(results[0][1], results[1][1], strict=True):
        assert torch.equal(a, b)


def test_checkpointing_keeps_less() -> None:
    """Bytes that a pass leaves for the backward pass, counted where autograd saves them."""

    def saved(config: TranslationConfig) -> int:
        total = 0

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal total
            total += tensor.numel() * tensor.element_size()
            return tensor

        network = build_generator(config)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            network(torch.randn(1, 6, 64, 64))
        return total

    plain = replace(SMALL, attention=False)
    assert saved(replace(plain, checkpoint_from=64)) < 0.5 * saved(plain)


def test_checkpointing_is_for_1024_and_above() -> None:
    assert not preset("broadcast").recompute
    assert replace(preset("broadcast"), size=1024).recompute


def test_crops_come_back_as_they_were() -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (32, 32, 3)).astype(np.uint8) for _ in range(3)]
    crops = Crops.of(pictures, 32)
    assert len(crops) == 3
    for i in (2, 0, 1):
        np.testing.assert_array_equal(crops[i], pictures[i])
    smooth = [np.broadcast_to(np.arange(0, 256, 8, np.uint8)[:, None, None], (32, 32, 3)).copy()]
    lossy = Crops.of(smooth, 32, quality=92)
    assert np.abs(lossy[0].astype(int) - smooth[0]).max() <= 8
    with pytest.raises(CheckpointError, match="not whole"):
        Crops(crops.coded[:-1], crops.offsets, 32)
    with pytest.raises(CheckpointError, match="crop 1 cannot be decoded"):
        Crops(crops.coded, crops.offsets, 48)[1]
    with pytest.raises(CheckpointError, match="crop 0 cannot be decoded"):
        Crops(crops.coded, crops.offsets[[0, 0, *range(2, len(crops.offsets))]], 32)[0]


def test_losses_may_be_left_out(person: Any) -> None:
    task = make(person, replace(SMALL, laplacian_weight=0.0, gan_weight=0.0, feature_weight=0.0))
    task.budget_fraction(0.9)
    assert set(task.step(0)) == {"pixel"}


def test_speed_is_told(person: Any) -> None:
    task = make(person, SMALL)
    task.step(0)
    told = task.speed()
    assert set(told) == {"step_ms", "wait_ms", "loader_fps"}
    assert told["step_ms"] > told["wait_ms"] >= 0
    assert told["loader_fps"] > 0


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
def test_compiled_networks_take_the_same_steps(person: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Captured as graphs, names unchanged; code generation itself is torch's and takes minutes."""
    compile_module = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compile_module(self, backend="eager"))
    config = replace(SMALL, n_blocks=1, attention=False, mouth_discriminator=False)
    plain, compiled = make(person, config), make(person, replace(config, compile=True))
    for task in (plain, compiled):
        task.budget_fraction(0.5)
    for i in range(2):
        assert compiled.step(i) == pytest.approx(plain.step(i), rel=1e-3)
    assert list(compiled.modules()["learner"].state_dict()) == list(plain.modules()["learner"].state_dict())
    assert compiled.renderer().config.compile


def make(person: Any, config: TranslationConfig) -> TranslationTask:
    train, held = np.arange(0, 40), np.arange(40, 48)
    data = TranslationData.from_frames(person.frames, person.landmarks, person.pose, config, train, held)
    return TranslationTask(config, data, seed=2)
