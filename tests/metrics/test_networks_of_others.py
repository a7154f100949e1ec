"""FID's Inception and LPIPS, from files in the layout of the official weights, with random numbers in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core import weights
from lipwright.core.errors import CheckpointError
from lipwright.metrics.inception import FidInception, inception_features, load_inception
from lipwright.metrics.lpips import Lpips, load_lpips

ALEX = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}


def alexnet() -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    state = {}
    for index, (out, channels, side) in ALEX.items():
        weight = torch.randn(out, channels, side, side, generator=random)
        state[f"features.{index}.weight"] = weight / (channels * side * side) ** 0.5
        state[f"features.{index}.bias"] = torch.zeros(out)
    return state | {"classifier.6.bias": torch.zeros(1000)}


def linear() -> dict[str, torch.Tensor]:
    return {f"lin{k}.model.1.weight": torch.full((1, out, 1, 1), 0.5) for k, (out, _, _) in enumerate(ALEX.values())}


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    state = {k: v for k, v in FidInception().state_dict().items() if not k.endswith("num_batches_tracked")}
    path = tmp_path_factory.mktemp("weights") / "pt_inception.pth"
    torch.save(state, path)
    return path


def test_inception_has_the_layout_of_the_official_file() -> None:
    state = FidInception().state_dict()
    # 94 convolutions of 5 tensors and a count each, and the last layer's two.
    assert len(state) == 94 * 6 + 2
    # Inception v3 without its side branch, 23,834,568, and eight more classes.
    assert sum(v.numel() for k, v in state.items() if "running" not in k and "num_b" not in k) == 23_834_568 + 8 * 2049
    expected = {
        "Conv2d_4a_3x3.conv.weight": (192, 80, 3, 3),
        "Mixed_5b.branch_pool.conv.weight": (32, 192, 1, 1),
        "Mixed_6c.branch7x7dbl_2.conv.weight": (160, 160, 7, 1),
        "Mixed_6e.branch7x7_2.bn.running_var": (192,),
        "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
        "Mixed_7c.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
        "fc.weight": (1008, 2048),
    }
    assert {k: tuple(state[k].shape) for k in expected} == expected


def test_inception_gives_finite_features_of_any_size(inception_file: Path) -> None:
    network = load_inception(inception_file)
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (h, w, 3), dtype=np.uint8) for h, w in ((60, 80), (64, 64))]
    features = inception_features(network, pictures)
    assert features.shape == (2, 2048)
    assert np.isfinite(features).all()
    assert (features >= 0).all()
    np.testing.assert_array_equal(features[:1], inception_features(network, pictures[:1]))


def test_a_file_of_another_network_is_refused(tmp_path: Path, inception_file: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="another model"):
        load_inception(tmp_path / "other.pth")
    (tmp_path / "broken.pth").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="not a readable weight file"):
        load_inception(tmp_path / "broken.pth")
    with pytest.raises(CheckpointError, match="do not exist"):
        load_inception(tmp_path / "none.pth")
    torch.save({"state_dict": {}}, tmp_path / "wrapped.pth")
    with pytest.raises(CheckpointError, match="plain state dict"):
        load_inception(tmp_path / "wrapped.pth")


def test_lpips_is_zero_for_the_same_symmetric_and_rises_with_noise(tmp_path: Path) -> None:
    torch.save(alexnet(), tmp_path / "alexnet.pth")
    torch.save(linear(), tmp_path / "lpips.pth")
    network = load_lpips(tmp_path / "alexnet.pth", tmp_path / "lpips.pth")
    rng = np.random.default_rng(0)
    real = np.kron(rng.integers(40, 200, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    distances = [
        network.distance(real, np.clip(real + rng.normal(0, s, real.shape), 0, 255).astype(np.uint8))
        for s in (0, 5, 20)
    ]
    assert distances[0] == 0
    assert 0 < distances[1] < distances[2]
    assert network.distance(real, 255 - real) == pytest.approx(network.distance(255 - real, real), rel=1e-5)


def test_lpips_by_hand_for_its_first_layer() -> None:
    """With all later weights zero, only unit vectors of the first layer count: |a|^2 + |b|^2 - 2ab."""
    state, lin = alexnet(), linear()
    for k in range(1, 5):
        lin[f"lin{k}.model.1.weight"].zero_()
    network = Lpips(state, lin)
    a, b = (torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(s)) * 2 - 1 for s in (1, 2))
    x, y = (network.activations(v)[0] for v in (a, b))
    expected = 0.5 * ((x * x).sum(1) + (y * y).sum(1) - 2 * (x * y).sum(1)).mean()
    assert float(network(a, b)) == pytest.approx(float(expected), rel=1e-4)


def test_lpips_says_which_tensor_does_not_fit() -> None:
    broken = linear()
    broken["lin3.model.1.weight"] = torch.zeros(1, 7, 1, 1)
    with pytest.raises(CheckpointError, match=r"lin3\.model\.1\.weight of shape \(1, 256, 1, 1\), got \(1, 7, 1, 1\)"):
        Lpips(alexnet(), broken)
    with pytest.raises(CheckpointError, match=r"features\.0\.weight.*got nothing"):
        Lpips({}, linear())


def test_models_add_checks_what_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inception_file: Path) -> None:
    monkeypatch.setenv("LIPWRIGHT_MODELS", str(tmp_path / "models"))
    torch.save(alexnet(), tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match="another file"):
        weights.add("fid-inception", tmp_path / "a.pth")
    assert weights.find("alexnet") is None
    weights.add("alexnet", tmp_path / "a.pth")
    weights.add("fid-inception", inception_file)
    assert weights.find("alexnet") is not None
    assert weights.find("fid-inception") is not None
