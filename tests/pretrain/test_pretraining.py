"""The program: people are made once, weights come out that a person's training begins from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.render.neural_face.conftest import SMALL

from lipwright.core.checkpoint import load_tensors
from lipwright.face.ict import find_ict, load_ict
from lipwright.pretrain import __main__ as program
from lipwright.pretrain.people import FIRST, FIRST_HELD_OUT, Filmed, packed_person
from lipwright.render.neural_face.config import preset
from lipwright.render.neural_face.data import FaceData
from lipwright.render.neural_face.packed import load_packed, save_packed
from lipwright.render.neural_face.task import NeuralFaceTask


@pytest.mark.slow
def test_weights_come_out_that_a_training_begins_from(
    data: FaceData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def packed(model: object, person: int, *rest: object) -> Path:
        asked.append(person)
        file = tmp_path / f"{person}.safetensors"
        save_packed(file, data, SMALL)
        return file

    monkeypatch.setattr(program, "load_ict", lambda path: None)
    monkeypatch.setattr(program, "packed_person", packed)
    monkeypatch.setattr(program, "preset", lambda name: SMALL)
    out = tmp_path / "start.safetensors"
    told = ["-o", str(out), "--work", str(tmp_path / "work"), "--people", "2", "--budget", "60 steps"]
    assert program.main([*told, "--device", "cpu"]) == 0
    assert set(asked) == {FIRST_HELD_OUT, FIRST, FIRST + 1}
    tensors, card = load_tensors(out)
    assert all(not v.is_floating_point() or v.dtype == torch.float16 for v in tensors.values())
    assert card == json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["steps"] == 60
    assert (tmp_path / "start-preview.png").is_file()
    begun = NeuralFaceTask(replace(SMALL, start=str(out)), data, 0)
    random = NeuralFaceTask(replace(SMALL, start="none"), data, 0)
    assert begun.validate()["mouth_psnr_db"] == pytest.approx(card["validation"]["mouth_psnr_db"], abs=0.1)
    assert begun.validate()["mouth_psnr_db"] > random.validate()["mouth_psnr_db"] + 2


@pytest.mark.slow
def test_a_person_is_rendered_once(tmp_path: Path) -> None:
    if find_ict() is None:
        pytest.skip("the ICT-FaceKit model is not here (it is not part of the repository); set LIPWRIGHT_ICT_MODEL")
    config = replace(preset("draft"), size=128)
    file = packed_person(load_ict(), FIRST, Filmed(seconds=3, size=128), config, tmp_path)
    data, kept = load_packed(file)
    assert kept == config
    assert len(data.train) > 8
    before = file.stat().st_mtime_ns
    assert packed_person(load_ict(), FIRST, Filmed(seconds=3, size=128), config, tmp_path) == file
    assert file.stat().st_mtime_ns == before
