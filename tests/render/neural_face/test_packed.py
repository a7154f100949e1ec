"""A person packed for training elsewhere: whole again when read, fewer seconds when room is short."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core.checkpoint import save_tensors
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.render.neural_face.config import NeuralFaceConfig
from lipwright.render.neural_face.data import FaceData
from lipwright.render.neural_face.packed import load_packed, save_packed, thinned
from lipwright.render.neural_face.renderer import NeuralFaceRenderer
from lipwright.train.loop import Budget
from lipwright.train.packed import train_packed


def test_what_is_packed_is_read_again(data: FaceData, config: NeuralFaceConfig, tmp_path: Path) -> None:
    save_packed(tmp_path / "p.safetensors", data, config)
    read, again = load_packed(tmp_path / "p.safetensors")
    assert again == config
    a, b = (of.batch(config, 3, 7) for of in (data, read))
    assert torch.equal(a.inputs, b.inputs)
    assert torch.equal(a.target, b.target)


def test_seconds_are_left_out_whole(data: FaceData) -> None:
    long = replace(
        data,
        **{name: getattr(data, name).chosen(np.arange(120) % 40, 95) for name in ("crops", "drawn", "marks")},
        planes=np.tile(data.planes, (3, 1, 1)),
        landmarks=np.tile(data.landmarks, (3, 1, 1)),
        pose_rad=np.tile(data.pose_rad, (3, 1)),
        numbers=np.arange(120),
        train=np.arange(100),
        validation=np.arange(100, 120),
    )
    small = thinned(long, 0.2)
    assert len(small.numbers) < 60
    for places in (small.train, small.validation):
        steps = np.diff(small.numbers[places])
        assert (steps == 1).mean() > 0.9, "neighbours stay neighbours"
    assert small.numbers[small.validation].min() >= 100
    whole = thinned(long, 1000)
    np.testing.assert_array_equal(whole.numbers, long.numbers)
    np.testing.assert_array_equal(whole.marks[5], long.marks[5])


def test_a_packed_person_is_trained(data: FaceData, config: NeuralFaceConfig, tmp_path: Path) -> None:
    packed, out = tmp_path / "p.safetensors", tmp_path / "out"
    save_packed(packed, data, config)
    record = train_packed(packed, out, Budget(steps=2), "cpu", {"pixel_weight": "5"})
    assert record.steps == 2
    assert NeuralFaceRenderer.load(out / "renderer.safetensors").config == replace(config, pixel_weight=5.0)
    assert {p.name for p in out.iterdir()} >= {"renderer.safetensors", "training.json", "preview.png", "mouths.png"}
    with pytest.raises(ConfigError, match="packed with room"):
        train_packed(packed, out, Budget(steps=1), "cpu", {"room": "1.6"})
    with pytest.raises(CheckpointError, match="another network; choose the same preset"):
        train_packed(packed, out, Budget(steps=1), "cpu", init=packed)


def test_another_persons_renderer_is_where_training_begins(
    data: FaceData, config: NeuralFaceConfig, tmp_path: Path
) -> None:
    packed, first, second = (tmp_path / name for name in ("p.safetensors", "first", "second"))
    save_packed(packed, data, config)
    before = train_packed(packed, first, Budget(steps=30), "cpu")
    still = {"learning_rate": "1e-9"}
    for init in (first, first / "renderer.safetensors"):  # a folder as a persona's, and the file itself
        after = train_packed(packed, second, Budget(steps=1), "cpu", still, init)
        assert after.validation["mouth_psnr_db"] == pytest.approx(before.validation["mouth_psnr_db"], abs=0.1)
    assert NeuralFaceRenderer.load(second / "renderer.safetensors").config.start == str(first / "renderer.safetensors")


def test_other_files_are_refused(tmp_path: Path) -> None:
    save_tensors(tmp_path / "x.safetensors", {"a": torch.zeros(1)}, {})
    with pytest.raises(CheckpointError, match="--recipe meta-talk"):
        load_packed(tmp_path / "x.safetensors")
