"""Losses against hand-computed numbers, and the perceptual loader."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from lipwright.core.errors import CheckpointError
from lipwright.render.translation.losses import (
    feature_matching,
    laplacian_distance,
    lsgan,
    weighted_charbonnier,
)
from lipwright.render.translation.perceptual import Vgg19Distance, load_vgg19

CONVS = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28]


def test_lsgan_sums_over_scales() -> None:
    features = [[torch.zeros(1), torch.tensor([1.0, 3.0])], [torch.zeros(1), torch.tensor([0.0])]]
    assert float(lsgan(features, 1.0)) == pytest.approx(2.0 + 1.0)


def test_feature_matching_ignores_the_verdict_and_detaches_real() -> None:
    fake = [[torch.tensor([1.0], requires_grad=True), torch.tensor([9.0])]]
    real = [[torch.tensor([3.0], requires_grad=True), torch.tensor([0.0])]]
    loss = feature_matching(fake, real)
    assert loss.item() == pytest.approx(2.0)  # 4 / (3 + 1) / 1 scale
    loss.backward()
    assert fake[0][0].grad is not None
    assert real[0][0].grad is None


def test_charbonnier_counts_only_where_there_is_weight() -> None:
    fake, real = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    fake[..., 0, 0], fake[..., 1, 1] = 1.0, 100.0
    weight = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]]]])
    assert float(weighted_charbonnier(fake, real, weight, epsilon=0.0)) == pytest.approx(0.5)


def test_laplacian_distance_sees_equal_errors_and_weighs_texture() -> None:
    real = torch.zeros(1, 3, 16, 16)
    weight = torch.ones(1, 1, 16, 16)
    assert float(laplacian_distance(real, real, weight)) == 0
    flat = torch.full_like(real, 0.1)
    assert float(laplacian_distance(flat, real, weight)) == pytest.approx(0.1 / 4, rel=1e-5)
    checker = 0.1 * (1 - 2 * ((torch.arange(16)[:, None] + torch.arange(16)) % 2)).expand(1, 3, 16, 16)
    assert float(laplacian_distance(checker.float(), real, weight)) == pytest.approx(0.1 / 4, rel=1e-5)


def tiny_vgg(width: int = 2) -> dict[str, Tensor]:
    torch.manual_seed(1)
    state, channels = {}, 3
    for index in CONVS:
        state[f"features.{index}.weight"] = torch.randn(width, channels, 3, 3) / 3
        state[f"features.{index}.bias"] = torch.zeros(width)
        channels = width
    return state


def test_vgg_distance_is_zero_for_equals_and_has_gradient_for_the_first_only() -> None:
    distance = Vgg19Distance(tiny_vgg() | {"classifier.0.weight": torch.zeros(1)})
    a, b = torch.rand(1, 3, 32, 32, requires_grad=True), torch.rand(1, 3, 32, 32, requires_grad=True)
    assert distance(a, a).item() == 0
    distance(a, b).backward()
    assert a.grad is not None
    assert a.grad.abs().max() > 0
    assert b.grad is None
    assert [f.shape[-1] for f in distance.features(a)] == [32, 16, 8, 4, 2]


def test_vgg_taps_are_weighted_as_in_pix2pixhd() -> None:
    distance = Vgg19Distance(tiny_vgg())
    a, b = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    pairs = zip(distance.features(a), distance.features(b), strict=True)
    means = [(x - y).abs().mean() for x, y in pairs]
    expected = sum(w * float(m) for w, m in zip((1 / 32, 1 / 16, 1 / 8, 1 / 4, 1), means, strict=True))
    assert float(distance(a, b)) == pytest.approx(expected, rel=1e-5)


def test_vgg_weights_load_from_a_local_file(tmp_path: Path) -> None:
    torch.save(tiny_vgg(), tmp_path / "vgg19.pth")
    assert len(load_vgg19(tmp_path / "vgg19.pth").convs) == 13


def test_vgg_of_another_layout_is_refused(tmp_path: Path) -> None:
    lacking = tiny_vgg()
    del lacking["features.28.bias"]
    with pytest.raises(CheckpointError, match=r"features\.28"):
        Vgg19Distance(lacking)
    with pytest.raises(CheckpointError, match=r"features\.5\.weight has shape"):
        Vgg19Distance(tiny_vgg() | {"features.5.weight": torch.zeros(2, 2, 1, 1)})
    with pytest.raises(CheckpointError, match="do not exist"):
        load_vgg19(tmp_path / "none.pth")
    (tmp_path / "bad.pth").write_bytes(b"not weights")
    with pytest.raises(CheckpointError, match="not a readable"):
        load_vgg19(tmp_path / "bad.pth")
