"""Pictures that stay on disk: each is checked when shown, and loading reads none of them when they are many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core.checkpoint import UNHASHED, load_tensors, part_hash, save_tensors
from lipwright.core.contracts import U8
from lipwright.core.errors import CheckpointError
from lipwright.core.files import file_hash
from lipwright.render.memory import bank as banks
from lipwright.render.memory.bank import MouthBank, build_bank
from lipwright.render.memory.pictures import Pictures, encoded
from lipwright.render.memory.renderer import MemoryRenderer
from lipwright.subject.store import Subject


def pictures() -> tuple[Pictures, list[U8]]:
    ramps = [np.add.outer(np.arange(20), np.arange(30 + k))[..., None] * np.array([1, 2, 3]) for k in range(3)]
    shown = [r.astype(np.uint8) for r in ramps]
    return Pictures.of([encoded(p, 0) for p in shown]), shown


def test_each_comes_back() -> None:
    kept, shown = pictures()
    for i in (2, 0, 1, 0):
        assert kept[i].shape == shown[i].shape
        assert np.abs(kept[i].astype(int) - shown[i]).max() <= 8
    assert kept[1] is kept[1], "decoded once"


def test_one_flipped_bit_is_found_when_it_is_shown() -> None:
    kept, _ = pictures()
    data = kept.data.copy()
    data[int(kept.offsets[1]) + 200] ^= 1
    damaged = Pictures(data, kept.offsets, kept.checks)
    assert damaged[0].shape == kept[0].shape
    with pytest.raises(CheckpointError, match="mouth 1 of the memory is damaged"):
        damaged[1]


@pytest.fixture(scope="module")
def bank(subject: Subject) -> MouthBank:
    return build_bank(zip(range(12), subject.frames.read(), strict=False), subject.track)


def saved(path: Path, bank: MouthBank) -> str:
    arrays, config = MemoryRenderer(bank).state()
    save_tensors(path, {k: torch.from_numpy(v) for k, v in arrays.items()}, config)
    return part_hash(path)


def test_the_hash_of_many_pictures_leaves_them_out(
    bank: MouthBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "memory.safetensors"
    assert saved(file, bank) == file_hash(file)
    monkeypatch.setattr(banks, "MUCH", 1000)
    digest = saved(file, bank)
    tensors, config = load_tensors(file)
    assert config[UNHASHED] == ["jpeg"]
    whole = file.read_bytes()
    for name, same in (("jpeg", True), ("landmarks_px", False), ("checks", False)):
        at = whole.find(tensors[name].numpy().tobytes())
        file.write_bytes(whole[: at + 8] + bytes([whole[at + 8] ^ 1]) + whole[at + 9 :])
        assert (part_hash(file) == digest) is same


def test_a_memory_from_before_checks_and_details(bank: MouthBank) -> None:
    arrays, config = MemoryRenderer(bank).state()
    old = {k: v for k, v in arrays.items() if k not in ("checks", "details")} | {"looks": bank.looks.astype(np.float32)}
    memory = {k: v for k, v in config["memory"].items() if k != "fade_blur"} | {"sharpen": 0.12, "crossfade": 0.15}
    again = MemoryRenderer.from_state(old, {"envelope": config["envelope"], "memory": memory})
    np.testing.assert_array_equal(again.bank.image(3), bank.image(3))
    assert bank.details is not None
    assert again.bank.detail(3) == pytest.approx(bank.detail(3), rel=0.3)
    assert again.config.sharpen == 0.12
