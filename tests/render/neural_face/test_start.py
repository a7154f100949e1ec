"""Where a training of the neural face renderer begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from lipwright.core.checkpoint import load_tensors, save_tensors
from lipwright.core.errors import CheckpointError
from lipwright.render.neural_face.build import build_generator, build_judges
from lipwright.render.neural_face.config import AUTO, NONE, PRESETS, NeuralFaceConfig, preset
from lipwright.render.neural_face.data import FaceData
from lipwright.render.neural_face.start import BUNDLED, begin, check_start, contents
from lipwright.render.neural_face.task import NeuralFaceTask


def networks(config: NeuralFaceConfig, seed: int) -> dict[str, nn.Module]:
    torch.manual_seed(seed)
    return {"learner": build_generator(config), **build_judges(config)}


def written(config: NeuralFaceConfig, path: Path) -> dict[str, nn.Module]:
    """Networks of seed 1, in a file to begin from; its generator is what the learner was."""
    made = networks(config, 1)
    save_tensors(path, contents({"generator": made["learner"], **made}), {})
    return made


def same(a: nn.Module, b: nn.Module) -> bool:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x.half(), y.half()) for x, y in pairs)


def test_both_sides_begin_where_the_file_says(config: NeuralFaceConfig, tmp_path: Path) -> None:
    made = written(config, tmp_path / "s.safetensors")
    own = networks(config, 2)
    assert begin(own, str(tmp_path / "s.safetensors"))
    assert own.keys() == {"learner", "discriminator"}
    assert all(same(own[name], made[name]) for name in own)
    assert next(own["learner"].parameters()).dtype == torch.float32


def test_none_is_random(config: NeuralFaceConfig) -> None:
    own = networks(config, 2)
    assert not begin(own, NONE)
    assert same(own["learner"], networks(config, 2)["learner"])


def test_a_judge_that_does_not_fit_stays_as_it_is(config: NeuralFaceConfig, tmp_path: Path) -> None:
    made = written(config, tmp_path / "s.safetensors")
    wider = replace(config, ndf=8)
    own = networks(wider, 2)
    assert begin(own, str(tmp_path / "s.safetensors"))
    assert same(own["learner"], made["learner"])
    assert same(own["discriminator"], networks(wider, 2)["discriminator"])


def test_a_file_for_another_network_is_refused_and_the_bundled_one_left_out(
    config: NeuralFaceConfig, tmp_path: Path
) -> None:
    written(config, tmp_path / "s.safetensors")
    own = networks(replace(config, ngf=8), 2)
    with pytest.raises(CheckpointError, match="another network; choose the same preset"):
        begin(own, str(tmp_path / "s.safetensors"))
    with pytest.raises(CheckpointError, match="another network"):
        check_start(replace(config, ngf=8, start=str(tmp_path / "s.safetensors")))
    check_start(replace(config, start=str(tmp_path / "s.safetensors")))
    with pytest.raises(CheckpointError, match="missing"):
        check_start(replace(config, start=str(tmp_path / "nowhere.safetensors")))
    assert not begin(own, AUTO)
    assert same(own["learner"], networks(replace(config, ngf=8), 2)["learner"])


def test_the_bundled_weights_are_the_default_presets() -> None:
    assert [name for name in PRESETS if preset(name).start == AUTO] == ["draft"]
    draft = preset("draft")
    own = networks(draft, 0)
    assert begin(own, AUTO)
    kept, card = load_tensors(BUNDLED)
    assert card["neural_face"]["size"] == draft.size
    for name in own:
        prefix = "generator" if name == "learner" else name
        for key, value in own[name].state_dict().items():
            assert torch.equal(value, kept[f"{prefix}.{key}"].float()), (name, key)
    assert all(torch.isfinite(p).all() for part in own.values() for p in part.parameters())


def test_a_training_begins_there(data: FaceData, config: NeuralFaceConfig, tmp_path: Path) -> None:
    made = written(config, tmp_path / "s.safetensors")
    parts = NeuralFaceTask(replace(config, start=str(tmp_path / "s.safetensors")), data, 0).modules()
    for name in ("learner", "generator"):
        assert same(parts[name], made["learner"])
    assert same(parts["discriminator"], made["discriminator"])
