"""A brought syncnet_v2.model: read without running anything in it, converted once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.brought import WRONG, check_refused, model_folder, save_wrong

from lipwright.core import weights
from lipwright.core.syncnet_weights import read, shapes


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return model_folder(tmp_path, monkeypatch)


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
        *WRONG,
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
    save_wrong(source, kind, held)
    check_refused("syncnet", source, words)
