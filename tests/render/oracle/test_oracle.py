"""Drawing with a trained oracle, and keeping it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.render.oracle.conftest import tiny

from lipwright.core.checkpoint import save_tensors
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.oracle import Oracle, enlarged, oracle_networks
from lipwright.render.oracle.outpaint import Outpainting


def untrained(data: OracleData, kind: str = "chain") -> Oracle:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Oracle(tiny(kind), oracle_networks(tiny(kind)), data.geometry)


def test_pictures_have_their_sizes_and_the_head_shows_the_mouth_in_its_square(data: OracleData) -> None:
    oracle = untrained(data)
    heads, mouths = oracle.pictures(data.landmarks[:2], data.outlines[:2])
    assert heads.shape == (2, 64, 64, 3)
    assert mouths.shape == (2, data.mouth_size, data.mouth_size, 3)
    x, y, side = data.geometry.mouth_square
    small = enlarged(mouths[0], side).astype(int)
    inside = np.s_[side // 4 : -side // 4, side // 4 : -side // 4]
    shown = heads[0, y : y + side, x : x + side].astype(int)
    assert np.abs(shown - small)[inside].max() < 12, "made smaller, not drawn again"


def test_generated_pictures_are_of_one_size(data: OracleData) -> None:
    for kind in ("chain", "single"):
        heads, mouths = untrained(data, kind).generate(data.landmarks[:1], data.outlines[:1])
        assert heads.shape == mouths.shape == (1, 64, 64, 3)


def test_each_picture_depends_on_its_own_keypoints_alone(data: OracleData) -> None:
    oracle = untrained(data)
    together = oracle.pictures(data.landmarks[:3], data.outlines[:3])
    alone = oracle.pictures(data.landmarks[1:2], data.outlines[1:2])
    for many, one in zip(together, alone, strict=True):
        assert np.abs(many[1].astype(int) - one[0]).max() <= 1


@pytest.mark.parametrize("kind", ["chain", "single"])
def test_what_is_saved_draws_the_same(data: OracleData, tmp_path: Path, kind: str) -> None:
    oracle = untrained(data, kind)
    oracle.save(tmp_path / "oracle.safetensors")
    again = Oracle.load(tmp_path / "oracle.safetensors")
    assert again.config == oracle.config
    assert (
        again.fingerprint()
        == oracle.fingerprint()
        != untrained(data, "single" if kind == "chain" else "chain").fingerprint()
    )
    for a, b in zip(
        oracle.pictures(data.landmarks[:1], data.outlines[:1]),
        again.pictures(data.landmarks[:1], data.outlines[:1]),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_other_files_are_refused(data: OracleData, tmp_path: Path) -> None:
    tensors, config = untrained(data).state()
    save_tensors(tmp_path / "a", tensors, {"ngf": 4})
    with pytest.raises(CheckpointError, match="not an oracle"):
        Oracle.load(tmp_path / "a")
    del tensors["network.mouth.model.1.weight"]
    with pytest.raises(CheckpointError, match="another model"):
        Oracle.from_state(tensors, config)
    larger = tiny(head=tiny().head.__class__(mode="full-face", size=96))
    with pytest.raises(ConfigError, match="64 px"):
        Oracle(larger, {}, data.geometry)


def test_the_given_mouth_stays_and_only_the_rest_is_learnt() -> None:
    outpainting = Outpainting((8, 20, 24), 64, torch.device("cpu"))
    mouth = torch.rand(1, 3, 48, 48) * 2 - 1
    given = outpainting.given(mouth)
    assert given.shape == (1, 4, 64, 64)
    assert float(given[:, 3, 26:38, 14:26].min()) == 1
    assert float(given.diff(dim=-1).abs()[..., 7].max()) < 0.15, "no hard edge that the network could draw"
    assert float(given[:, :, :20].abs().sum() + given[..., :8].abs().sum()) == 0
    raw = torch.zeros(1, 3, 64, 64, requires_grad=True)
    joined = outpainting.joined(given, raw)
    middle = np.s_[:, :, 26:38, 14:26]
    torch.testing.assert_close(joined[middle], given[:, :3][middle], rtol=0, atol=0)
    joined.sum().backward()
    assert raw.grad is not None
    assert float(raw.grad[middle].abs().sum()) == 0
    assert float(raw.grad[..., 60:].min()) == 1
    edge = outpainting.inner[0, 0, 32, 8:14]
    assert bool((edge.diff() >= 0).all()), "soft at the rim"
    assert float(edge[0]) < 0.2
