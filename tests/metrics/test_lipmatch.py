from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core.errors import CheckpointError, ShapeError
from lipwright.metrics.lipmatch import SIDE, WEIGHTS, LipMatch, embed_cepstra, embed_mouths, load_lipmatch


@pytest.fixture(scope="module")
def model() -> LipMatch:
    torch.manual_seed(0)
    return LipMatch()


def test_windows_are_those_of_syncnet(model: LipMatch) -> None:
    rng = np.random.default_rng(0)
    mouths = rng.integers(0, 256, (9, SIDE, SIDE), dtype=np.uint8)
    cepstra = rng.normal(size=(36, 13))
    lips, sound = embed_mouths(model, mouths), embed_cepstra(model, cepstra, 5)
    assert lips.shape == sound.shape == (5, 128)
    np.testing.assert_allclose(np.linalg.norm(lips, axis=1), 1, atol=1e-5)
    with torch.inference_mode():
        one = model.lips(torch.from_numpy(mouths[3:8])[None].float())
        rows = torch.from_numpy((cepstra - cepstra.mean(axis=0))[8:28].T.copy()).float()
        two = model.sound(rows[None, None])
    np.testing.assert_allclose(lips[3], one[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(sound[2], two[0].numpy(), atol=1e-5)


def test_light_and_loudness_change_nothing(model: LipMatch) -> None:
    rng = np.random.default_rng(1)
    mouths = torch.from_numpy(rng.normal(100, 20, (1, 5, SIDE, SIDE)).astype(np.float32))
    np.testing.assert_allclose(model.lips(mouths).detach(), model.lips(0.5 * mouths + 30).detach(), atol=1e-3)
    cepstra = rng.normal(size=(40, 13))
    louder = cepstra + np.eye(13)[0] * 3
    np.testing.assert_allclose(embed_cepstra(model, cepstra, 4), embed_cepstra(model, louder, 4), atol=1e-5)


def test_wrong_shapes_are_refused(model: LipMatch) -> None:
    with pytest.raises(ShapeError):
        embed_mouths(model, np.zeros((4, SIDE, SIDE), np.uint8))
    with pytest.raises(ShapeError):
        embed_cepstra(model, np.zeros((23, 13)), 2)


def test_weights_ship_with_a_card_and_are_small() -> None:
    assert WEIGHTS.stat().st_size < 2_000_000
    model, card = load_lipmatch()
    assert not model.training
    assert card["name"] == "LipMatch"
    assert set(card["measured"]["two_way"]) == {"1", "25", "75"}
    assert "rendered" in card["trained_on"]
    assert "footage of" not in card["trained_on"]


def test_missing_weights_say_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError):
        load_lipmatch(tmp_path / "none.safetensors")
