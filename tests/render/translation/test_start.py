"""Starting from another persona's renderer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lipwright.core.errors import CheckpointError
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.data import TranslationData
from lipwright.render.translation.start import initial_weights
from lipwright.render.translation.task import TranslationTask, new_task

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
    task = new_task(CONFIG, data, seed=1, init=other)
    assert task.perceptual is None
    wanted = initial_weights(other / "renderer.safetensors", CONFIG)
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


def test_vgg_must_be_brought_when_it_is_asked_for(
    data: TranslationData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(tmp_path))
    with pytest.raises(CheckpointError, match="lipwright models add vgg19 FILE"):
        new_task(replace(CONFIG, perceptual="vgg19"), data, seed=0)
    assert new_task(CONFIG, data, seed=0).perceptual is None
