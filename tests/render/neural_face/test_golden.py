"""Reference values of AudioDVP's renderer and pix2pix's discriminator (mean, standard deviation, first eight outputs).

Made once from the published networks in float64; weights and inputs are a seeded hash of their name.
"""

from __future__ import annotations

import zlib

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lipwright.core.errors import ConfigError, ShapeError
from lipwright.render.neural_face.networks import PatchGan, RefinedUNet


def _random(name: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(name.encode()) & 0xFFFFFFFF)


def fill(module: nn.Module) -> nn.Module:
    """Every weight from a hash of its key: a renamed or reordered key gives other values."""
    state = module.double().eval().state_dict()
    for key, tensor in state.items():
        noise = _random(key).standard_normal(tuple(tensor.shape))
        if key.endswith("num_batches_tracked"):
            continue
        if key.endswith("running_var"):
            noise = 1 + 0.1 * np.abs(noise)
        elif tensor.ndim >= 2:
            noise = noise / np.sqrt(np.prod(tensor.shape[1:]))
        elif key.endswith("weight"):
            noise = 1 + 0.1 * noise
        else:
            noise = 0.1 * noise
        state[key] = torch.from_numpy(np.asarray(noise))
    module.load_state_dict(state)
    return module


def told(module: nn.Module, tag: str, shape: tuple[int, ...]) -> np.ndarray:
    given = torch.from_numpy(_random("input:" + tag).standard_normal(shape))
    with torch.no_grad():
        out = fill(module)(given)
    last: Tensor = out if isinstance(out, Tensor) else out[0][-1]
    return last.numpy().ravel()


def check(found: np.ndarray, count: int, mean: float, std: float, first: list[float]) -> None:
    assert found.size == count
    np.testing.assert_allclose(found.mean(), mean, rtol=1e-6)
    np.testing.assert_allclose(found.std(), std, rtol=1e-6)
    np.testing.assert_allclose(found[:8], first, rtol=1e-6)


def test_the_refined_unet_is_audiodvps() -> None:
    found = told(RefinedUNet(ngf=8), "nfr.x", (1, 21, 256, 256))
    check(
        found, 196608, 0.008217567374884513, 0.2769305244054396,
        [0.03162502616209248, -0.3352991498563124, 0.23673662232030865, -0.19445634393273523, 0.12909652369293279,
         -0.3906600639208495, 0.24202128971999373, -0.4424279436360418],
    )  # fmt: skip


def test_the_patchgan_is_pix2pixs() -> None:
    found = told(PatchGan(ndf=8), "nfr.d", (1, 24, 64, 64))
    check(
        found, 36, 0.019142939963898365, 0.1323497902522743,
        [0.13896563794059005, 0.15895633981935922, 0.15218348397959003, 0.1097259422604408, -0.010714137796322944,
         -0.1385337097717611, 0.1681289173890079, 0.1426079289179421],
    )  # fmt: skip


def test_every_level_is_heard() -> None:
    """The reference values barely see the bottleneck: a change there must reach the picture too."""
    network = fill(RefinedUNet(ngf=4, n_downs=6))
    given = torch.from_numpy(_random("levels").standard_normal((1, 21, 64, 64)))
    with torch.no_grad():
        whole = network(given)
        for key, value in network.state_dict().items():
            if value.ndim == 4:
                kept = value.clone()
                value.zero_()
                assert (network(given) - whole).abs().max() > 1e-9, key
                value.copy_(kept)


def test_its_size_is_the_published_one() -> None:
    """140.9 M parameters and 27.3 GMAC at 256 px, counted from the layers' shapes."""
    with torch.device("meta"):
        network = RefinedUNet()
    assert sum(p.numel() for p in network.parameters()) == 140_874_627
    assert len(network.state_dict()) == 194
    assert network.state_dict()["model.model.1.model.3.model.5.model.0.0.weight"].shape == (512, 512, 3, 3)
    macs = 0

    def count(module: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        nonlocal macs
        pixels = given[0] if isinstance(module, nn.ConvTranspose2d) else out
        macs += module.weight.numel() * pixels.shape[-1] * pixels.shape[-2]  # type: ignore[union-attr,operator]

    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            module.register_forward_hook(count)
    network.eval()(torch.zeros(1, 21, 256, 256, device="meta"))
    assert round(macs / 1e9, 1) == 27.3


def test_sizes_that_cannot_be_halved_are_refused() -> None:
    network = RefinedUNet(ngf=2, n_downs=5)
    with pytest.raises(ShapeError, match="multiple of 32"):
        network(torch.zeros(1, 21, 48, 64))
    with pytest.raises(ConfigError, match="at least five"):
        RefinedUNet(n_downs=4)


@pytest.mark.parametrize("kind", ["batch", "group"])
def test_one_picture_can_be_learnt_from(kind: str) -> None:
    """At one pixel a batch of one has no spread; normalising it must neither fail nor erase it."""
    network = RefinedUNet(ngf=2, n_downs=5, kind=kind).train()
    network(torch.randn(1, 21, 32, 32)).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)
