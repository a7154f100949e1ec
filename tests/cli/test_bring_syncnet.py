"""`lipwright models add syncnet` and the LSE options from the command line: one sentence for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.brought import Harm, model_folder

from lipwright.cli.main import run
from lipwright.core.syncnet_weights import shapes

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return model_folder(tmp_path, monkeypatch)


def test_it_is_added_and_listed(tmp_path: Path, folder: Path, capsys: Capture) -> None:
    source = tmp_path / "syncnet_v2.model"
    torch.save({key: torch.ones(shape) for key, shape in shapes().items()}, source)
    assert run(["models", "add", "syncnet", str(source)]) == 0
    assert str(folder / "syncnet_v2.safetensors") in capsys.readouterr().out
    assert run(["models", "list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert any(row[:2] == ["syncnet", "yes"] for row in rows)


def test_a_file_with_code_is_refused_in_one_sentence(tmp_path: Path, folder: Path, capsys: Capture) -> None:
    source = tmp_path / "syncnet_v2.model"
    torch.save({"netcnnaud.0.weight": Harm()}, source)
    assert run(["models", "add", "syncnet", str(source)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "code in it will not be run" in said
    assert not (tmp_path / "harm").exists()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--lse", "all"], "unknown LSE protocol 'all'; choose from tracks, frames, both"),
        (["--transcript", "absent.txt"], "absent.txt cannot be read as UTF-8 text"),
    ],
)
def test_wrong_options_are_refused_in_one_sentence(options: list[str], words: str, capsys: Capture) -> None:
    assert run(["evaluate", "v.mp4", *options]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert words in said
