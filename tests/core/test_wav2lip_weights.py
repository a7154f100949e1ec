"""Wav2Lip's checkpoints as users bring them: read without running anything in them, converted once."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from tests.brought import WRONG, check_refused, model_folder, save_wrong

from lipwright.core import weights
from lipwright.core.checkpoint import load_tensors
from lipwright.core.errors import CheckpointError
from lipwright.core.wav2lip_layout import shapes
from lipwright.core.wav2lip_weights import read
from lipwright.render.teacher.networks import SyncExpert, load_expert, load_generator, load_quality


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return model_folder(tmp_path, monkeypatch)


def tensors(network: str, old: bool = False) -> dict[str, torch.Tensor]:
    found = {key: torch.full(shape, 0.5) for key, shape in shapes(network).items()}
    return {key: value for key, value in found.items() if not (old and key.endswith("tracked"))}


def checkpoint(network: str) -> dict[str, object]:
    """As Wav2Lip's training writes it under DataParallel."""
    state = {f"module.{key}": value for key, value in tensors(network, old=True).items()}
    optimizer = {"state": {0: {"step": 7, "exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    return {"state_dict": state, "optimizer": optimizer, "global_step": 7, "global_epoch": 1}


def test_a_generator_is_kept_as_safetensors_without_its_optimiser(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "wav2lip_gan.pth"
    torch.save(checkpoint("generator"), source)
    target, digest = weights.add("wav2lip", source)
    assert target == folder / "wav2lip.safetensors" == weights.find("wav2lip")
    kept, config = load_tensors(target)
    assert {key: tuple(value.shape) for key, value in kept.items()} == shapes("generator")
    assert config == {"model": "wav2lip"}
    model = load_generator(target)
    assert not model.training
    assert model.output_block[1].weight.unique().tolist() == [0.5]
    assert weights.add("wav2lip", target) == (target, digest)  # the converted file is accepted too


def test_a_torchscript_archive_is_converted_once(folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = SyncExpert().eval()
    source = tmp_path / "lipsync_expert.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(model, (torch.zeros(1, 1, 80, 16), torch.zeros(1, 15, 48, 96)), check_trace=False)
        torch.jit.save(traced, str(source))
    target, _ = weights.add("wav2lip-expert", source)
    assert target.suffix == ".safetensors"
    loaded = load_expert(target).state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in model.state_dict().items())


def test_a_quality_discriminator_loads(tmp_path: Path) -> None:
    source = tmp_path / "visual_quality_disc.pth"
    torch.save(checkpoint("quality"), source)
    assert load_quality(source).binary_pred[0].bias.tolist() == [0.5]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        *WRONG,
        ("expert", "has no .* give wav2lip.pth"),
        ("shape", r"output_block.1.weight has shape \(3, 32, 3, 3\), expected \(3, 32, 1, 1\)"),
        ("nan", "output_block.1.bias holds values that are not finite"),
    ],
)
def test_other_files_are_refused_in_one_sentence_and_leave_nothing(
    folder: Path, tmp_path: Path, kind: str, words: str
) -> None:
    source = tmp_path / "wav2lip.pth"
    held = tensors("expert") if kind == "expert" else {"output_block.1.bias": torch.zeros(3)}
    if kind in ("shape", "nan"):
        held = tensors("generator")
        if kind == "shape":
            held["output_block.1.weight"] = torch.zeros(3, 32, 3, 3)
        else:
            held["output_block.1.bias"] = torch.full((3,), torch.nan)
    save_wrong(source, kind, {"state_dict": held} if kind == "code beside tensors" else held)
    check_refused("wav2lip", source, words)


def test_names_are_those_of_the_network_that_is_asked_for(tmp_path: Path) -> None:
    source = tmp_path / "expert.pth"
    torch.save(checkpoint("expert"), source)
    assert set(read(source, "expert")) == set(shapes("expert"))
    with pytest.raises(CheckpointError, match=r"has no .*; give visual_quality_disc.pth"):
        read(source, "quality")
