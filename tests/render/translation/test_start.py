"""Starting from another persona's renderer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lipwright.core.checkpoint import save_tensors
from lipwright.core.errors import CheckpointError
from lipwright.core.vgg19_weights import CHANNELS
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.data import TranslationData
from lipwright.render.translation.perceptual import perceptual_distance
from lipwright.render.translation.start import initial_weights
from lipwright.render.translation.task import TranslationTask

CONFIG = TranslationConfig(size=64, ngf=4, n_downs=2, n_blocks=1, ndf=4)


@pytest.fixture(scope="module")
def data(person: Any) -> TranslationData:
    train, held = np.arange(0, 40), np.arange(40, 48)
    return TranslationData.from_frames(person.frames, person.landmarks, person.pose, CONFIG, train, held)


@pytest.fixture(scope="module")
def other(data: TranslationData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a persona whose renderer has taken a step."""
    folder = tmp_path_factory.mktemp("other.persona")
    task = TranslationTask(CONFIG, data, seed=9)
    task.step(0)
    task.renderer().save(folder / "renderer.safetensors", half=True)
    return folder


def test_learner_and_average_begin_with_the_others_weights(data: TranslationData, other: Path) -> None:
    wanted = initial_weights(other, CONFIG)
    task = TranslationTask(CONFIG, data, seed=1, start=wanted)
    for name in ("learner", "generator"):
        for key, value in task.modules()[name].state_dict().items():
            assert torch.equal(value, wanted[key])
    fresh = TranslationTask(CONFIG, data, seed=1).modules()["discriminator"].state_dict()
    for key, value in task.modules()["discriminator"].state_dict().items():
        assert torch.equal(value, fresh[key]), "discriminators begin anew"


def test_another_size_is_no_hindrance(other: Path) -> None:
    assert initial_weights(other, replace(CONFIG, size=96))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"ngf": 8}, "it has ngf 4 and not 8; choose the same preset and mode"),
        ({"mode": "full-face", "skips": True}, "mode sewn and not full-face, skips False and not True"),
    ],
)
def test_another_network_is_refused(other: Path, changes: dict[str, Any], match: str) -> None:
    with pytest.raises(CheckpointError, match=match):
        initial_weights(other, replace(CONFIG, **changes))


def test_a_persona_without_trained_renderer_is_refused(persona_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no trained renderer to start from"):
        initial_weights(persona_folder, CONFIG)
    with pytest.raises(CheckpointError, match="not a translation renderer"):
        initial_weights(persona_folder / "memory.safetensors", CONFIG)


def test_vgg_must_be_brought_when_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(tmp_path))
    with pytest.raises(CheckpointError, match="lipwright models add vgg19 FILE"):
        perceptual_distance(replace(CONFIG, perceptual="vgg19"), "cpu")
    assert perceptual_distance(CONFIG, "cuda") is None
    state = {f"features.{n}.{k}": torch.zeros(3, 3, 3, 3) if k == "weight" else torch.zeros(3)
             for n in CHANNELS for k in ("weight", "bias")}  # fmt: skip
    save_tensors(tmp_path / "vgg19_features.safetensors", state)
    assert perceptual_distance(CONFIG, "cuda:1") is not None
    assert perceptual_distance(CONFIG, "cpu") is None, "on a CPU it is not worth its time unless asked for"
    assert perceptual_distance(replace(CONFIG, perceptual="vgg19"), "cpu") is not None
    assert perceptual_distance(replace(CONFIG, perceptual="none"), "cuda") is None
