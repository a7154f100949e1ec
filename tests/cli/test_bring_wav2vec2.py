"""`lipwright models add wav2vec2 FOLDER` from the command line: one sentence for each mistake, no code is run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.brought import Harm, model_folder

from lipwright.cli.main import run
from lipwright.core.wav2vec2_weights import POSITIONS, Wav2Vec2Config

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return model_folder(tmp_path, monkeypatch)


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """A folder of one layer, 16 wide, beside its config."""
    folder = tmp_path / "hf"
    folder.mkdir()
    (folder / "config.json").write_text(
        '{"model_type": "wav2vec2", "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,'
        '"intermediate_size": 8, "conv_dim": [4, 4, 4, 4, 4, 4, 4]}',
        encoding="utf-8",
    )
    config = Wav2Vec2Config(16, 1, 2, 8, (4,) * 7)
    state = {f"wav2vec2.{key}": torch.ones(shape) for key, shape in config.shapes().items()}
    weight = state.pop(f"wav2vec2.{POSITIONS}.weight")
    state |= {f"wav2vec2.{POSITIONS}.weight_g": weight[:1, :1], f"wav2vec2.{POSITIONS}.weight_v": weight}
    torch.save(state, folder / "pytorch_model.bin")
    return folder


def test_it_is_added_and_listed(brought: Path, models: Path, capsys: Capture) -> None:
    assert run(["models", "add", "wav2vec2", str(brought)]) == 0
    assert str(models / "wav2vec2.safetensors") in capsys.readouterr().out
    assert run(["models", "list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert any(row[:2] == ["wav2vec2", "yes"] for row in rows)


@pytest.mark.parametrize(
    ("harmed", "words"),
    [
        (True, "is not a readable weight file"),
        (False, "expected feature_extractor.conv_layers.0.conv.weight of shape (4, 1, 10), got nothing"),
    ],
)
def test_what_is_no_wav2vec_is_refused_in_one_sentence(
    harmed: bool, words: str, brought: Path, tmp_path: Path, models: Path, capsys: Capture
) -> None:
    torch.save({"wav2vec2.x": Harm() if harmed else torch.ones(1)}, brought / "pytorch_model.bin")
    assert run(["models", "add", "wav2vec2", str(brought)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert words in said
    assert not (tmp_path / "harm").exists()
    assert not models.exists()
