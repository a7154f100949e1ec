from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.ruled import hashed, normal
from torch import nn

from lipwright.core.errors import ConfigError
from lipwright.motion.cascade import Cascade, CascadeConfig
from lipwright.motion.tcn import Tcn, reach

# The published block (causal, 26 -> 32x4, kernel 3, eval mode, float64) with weights from hashed keys.
MEAN, STD, LARGEST = 1.2848269806991244, 1.1300265368491664, 9.81312985072004
FIRST = [
    1.5470659142386436, 1.775200500325067, 0.841985385819961, 2.0443003173179686,
    1.5612562416469786, 1.2550984173258903, 0.0817483490750909, 0.04239148651046137,
]  # fmt: skip


def seeded(key: str, shape: torch.Size) -> torch.Tensor:
    n = hashed(key).standard_normal(tuple(shape))
    scaled = n / np.sqrt(np.prod(shape[1:])) if len(shape) >= 2 else 0.1 * n
    return torch.from_numpy(np.asarray(scaled))


def fill_like_reference(tcn: Tcn) -> None:
    """Published names: network.{i}.net.0 and .net.4 (convolutions), network.{i}.downsample."""
    state = {}
    for key, value in tcn.state_dict().items():
        block, rest = key.removeprefix("blocks.").split(".", 1)
        rest = rest.replace("first.conv", "net.0").replace("second.conv", "net.4").replace("skip", "downsample")
        rest = rest.replace("parametrizations.weight.original0", "weight_g")
        rest = rest.replace("parametrizations.weight.original1", "weight_v")
        state[key] = seeded(f"network.{block}.{rest}", value.shape)
    tcn.load_state_dict(state)


def test_causal_block_equals_the_published_one() -> None:
    tcn = Tcn(26, 32, causal=True).double().eval()
    fill_like_reference(tcn)
    x = normal("tcn.x", 2, 26, 64)
    out = tcn(x).detach().numpy()
    assert out.size == 4096
    np.testing.assert_allclose([out.mean(), out.std(), np.abs(out).max()], [MEAN, STD, LARGEST], rtol=1e-6)
    np.testing.assert_allclose(out.ravel()[:8], FIRST, rtol=1e-6)


def lively(module: nn.Module) -> nn.Module:
    """Positive random weights: every ReLU passes, every path counts."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_((torch.randn(p.shape, generator=generator, dtype=p.dtype).abs() + 0.1) / max(p[0].numel(), 4))
    return module.double().eval()


def field(function, frames: int, rows: int, at: int) -> list[int]:  # type: ignore[no-untyped-def]
    still = torch.zeros(1, frames, 1, dtype=torch.float64)
    out = function(still)
    touched = still.clone()
    touched[0, at] = 1
    changed = (function(touched) - out).abs().sum(dim=-1)[0]
    return [int(k) - at // rows for k in torch.nonzero(changed).flatten()]


def test_field_of_the_symmetric_block_is_exactly_thirty_on_both_sides() -> None:
    tcn = lively(Tcn(1, 8))
    seen = field(lambda x: tcn(x.transpose(1, 2)).transpose(1, 2), 101, 1, 50)
    assert seen == list(range(-30, 31))
    assert reach((1, 2, 4, 8), 3) == 30


def test_causal_block_never_hears_the_future() -> None:
    tcn = lively(Tcn(1, 8, causal=True))
    seen = field(lambda x: tcn(x.transpose(1, 2)).transpose(1, 2), 101, 1, 20)
    assert seen == list(range(61))


def test_mirrored_kernels_on_mirrored_time_mirror_the_result() -> None:
    tcn, mirrored = lively(Tcn(3, 8)), Tcn(3, 8).double().eval()
    state = tcn.state_dict()
    mirrored.load_state_dict({k: v.flip(-1) if v.ndim == 3 else v for k, v in state.items()})
    x = torch.randn(2, 3, 50, dtype=torch.float64)
    torch.testing.assert_close(mirrored(x.flip(-1)), tcn(x).flip(-1))


def test_even_kernels_cannot_be_symmetric() -> None:
    with pytest.raises(ConfigError, match="odd kernel"):
        Tcn(3, 8, kernel=2)


@pytest.mark.parametrize("causal", [False, True])
def test_stated_halo_covers_the_whole_cascade(causal: bool) -> None:
    config = CascadeConfig(fast_features=(("logfbank", 1),), width=8, causal=causal)
    cascade = lively(Cascade(config))

    def run(rows: torch.Tensor) -> torch.Tensor:
        n = rows.shape[1] // 4
        zeros = torch.zeros(1, n, 19, dtype=torch.float64)
        return cascade({"logfbank": rows}, zeros[..., :3], zeros[..., :16])[1]

    frames = 2 * config.halo + 21
    seen = [field(run, 4 * frames, 4, 4 * (config.halo + 10) + k) for k in range(4)]
    reached = max(abs(k) for s in seen for k in s)
    assert reached <= config.halo
    assert reached >= config.halo - 1
    if not causal:
        assert min(seen[0]) == -66


def test_published_sizes() -> None:
    cascade = Cascade(CascadeConfig())
    assert sum(p.numel() for p in cascade.g1.parameters()) == pytest.approx(0.52e6, rel=0.02)
    assert sum(p.numel() for p in cascade.g2.parameters()) == pytest.approx(0.51e6, rel=0.02)


@pytest.mark.parametrize(
    "change",
    [{}, {"pose_in_g1": False}, {"pose_in_g2": False}, {"cheeks": False},
     {"slow_features": (("phones", 20),)},
     {"slow_features": (("phones", 20),), "fast_features": ()}],
)  # fmt: skip
def test_every_parameter_learns_in_every_ablation(change: dict) -> None:  # type: ignore[type-arg]
    torch.manual_seed(0)
    config = CascadeConfig(width=16, **change)
    cascade = Cascade(config)
    features = {"logfbank": torch.randn(2, 64, 26), "phones": torch.rand(2, 16, 20)}
    mouth, landmarks = cascade(features, torch.randn(2, 16, 3), torch.randn(2, 16, 16))
    assert mouth.shape == (2, 16, 13)
    assert landmarks.shape == (2, 16, 58)
    ((landmarks**2).sum() + (mouth**2).sum()).backward()
    dead = [n for n, p in cascade.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert dead == []
