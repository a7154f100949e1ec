"""VGG19 as users bring it: torchvision's file is checked, cut to what is read, and found again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lipwright.core import weights
from lipwright.core.checkpoint import load_tensors
from lipwright.core.errors import CheckpointError
from lipwright.core.vgg19_weights import CHANNELS


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def torchvisions() -> dict[str, torch.Tensor]:
    """The whole layout, with views of one zero so that it takes no memory; the classifier is cut short."""
    state, before = {}, 3
    for place, channels in CHANNELS.items():
        state[f"features.{place}.weight"] = torch.zeros(1).expand(channels, before, 3, 3)
        state[f"features.{place}.bias"] = torch.ones(channels)
        before = channels
    return state | {"features.30.bias": torch.zeros(512), "classifier.0.bias": torch.zeros(4096)}


def test_the_file_is_cut_to_what_is_read(models: Path, tmp_path: Path) -> None:
    torch.save(torchvisions(), tmp_path / "vgg19.pth")
    assert weights.find("vgg19") is None
    weights.add("vgg19", tmp_path / "vgg19.pth")
    found = weights.find("vgg19")
    assert found is not None
    kept, config = load_tensors(found)
    assert len(kept) == 2 * 13
    assert config == {"model": "vgg19"}
    weights.MODELS["vgg19"].check(found)


def test_another_vgg_is_refused(models: Path, tmp_path: Path) -> None:
    state = torchvisions()
    del state["features.16.weight"]
    torch.save(state, tmp_path / "vgg16.pth")
    with pytest.raises(CheckpointError, match=r"expected features\.16\.weight .* got nothing; give torchvision"):
        weights.add("vgg19", tmp_path / "vgg16.pth")
