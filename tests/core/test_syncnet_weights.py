"""A brought syncnet_v2.model: read without running anything in it, converted once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core import weights
from lipwright.core.errors import CheckpointError
from lipwright.core.syncnet_weights import read, shapes


class Harm:
    """What a hostile pickle does when it is loaded carelessly."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (os.environ["HARM"],)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HARM", str(tmp_path / "harm"))
    return tmp_path / "models"


def tensors() -> dict[str, torch.Tensor]:
    return {key: torch.full(shape, 0.5) for key, shape in shapes().items() if not key.endswith("tracked")}


def test_it_is_kept_as_safetensors_and_old_files_without_counters_load(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "syncnet_v2.model"
    torch.save(tensors(), source)
    target, digest = weights.add("syncnet", source)
    assert target == folder / "syncnet_v2.safetensors" == weights.find("syncnet")
    assert (folder / "syncnet_v2.safetensors.sha256").read_text(encoding="utf-8").startswith(digest)
    kept = read(target)
    assert set(kept) == set(shapes())
    assert kept["netcnnlip.0.weight"].shape == (96, 3, 5, 7, 7)
    assert kept["netcnnlip.0.weight"].unique().tolist() == [0.5]
    assert int(kept["netfcaud.1.num_batches_tracked"]) == 0
    again, same = weights.add("syncnet", target)  # the converted file is accepted too
    assert (again, same) == (target, digest)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("code", "code in it will not be run"),
        ("code beside tensors", "code in it will not be run"),
        ("text", "cannot be read as weights|not a plain file of tensors"),
        ("truncated", "cannot be read as weights"),
        ("list", "no plain table of tensors"),
        ("missing", "has no netfclip.3.bias"),
        ("foreign", "holds more, which SyncNet lacks"),
        ("shape", r"netcnnaud.0.weight has shape \(64, 3, 3, 3\), expected \(64, 1, 3, 3\)"),
        ("nan", "netfcaud.0.bias holds values that are not finite"),
    ],
)
def test_other_files_are_refused_in_one_sentence_and_leave_nothing(
    folder: Path, tmp_path: Path, kind: str, words: str
) -> None:
    source, held = tmp_path / "syncnet_v2.model", tensors()
    if kind == "missing":
        del held["netfclip.3.bias"]
    elif kind == "foreign":
        held["more"] = torch.zeros(1)
    elif kind == "shape":
        held["netcnnaud.0.weight"] = torch.zeros(64, 3, 3, 3)
    elif kind == "nan":
        held["netfcaud.0.bias"] = torch.full((512,), np.nan)
    wrong = {"code": Harm(), "code beside tensors": {**held, "x": Harm()}, "list": [1, 2]}
    torch.save(wrong.get(kind, held), source)
    if kind == "text":
        source.write_text("no weights\n", encoding="utf-8")
    elif kind == "truncated":
        source.write_bytes(source.read_bytes()[:5000])
    with pytest.raises(CheckpointError, match=words) as caught:
        weights.add("syncnet", source)
    said = str(caught.value)
    assert "syncnet_v2.model" in said
    assert "\n" not in said
    assert ". " not in said.replace(str(source), "")
    assert not folder.exists()
    assert not (tmp_path / "harm").exists()
