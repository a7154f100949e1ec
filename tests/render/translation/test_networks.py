"""Generators: published key layouts, attention that starts as nothing, any size, gradients everywhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lipwright.core.errors import ConfigError
from lipwright.render.translation.config import PRESETS, TranslationConfig, preset
from lipwright.render.translation.discriminators import MultiscaleDiscriminator
from lipwright.render.translation.networks import GlobalGenerator, LocalEnhancer, build_generator


def published_global_keys() -> list[str]:
    blocks = [f"model.{i}.conv_block.{j}" for i in range(16, 25) for j in (1, 5)]
    names = [f"model.{i}" for i in (1, 4, 7, 10, 13)] + blocks + [f"model.{i}" for i in (25, 28, 31, 34, 38)]
    return [f"{name}.{kind}" for name in names for kind in ("weight", "bias")]


def test_global_layout_is_the_published_one() -> None:
    with torch.device("meta"):
        network = GlobalGenerator(3, 3, ngf=64, n_downs=4, n_blocks=9)
    state = network.state_dict()
    assert list(state) == published_global_keys()
    assert state["model.1.weight"].shape == (64, 3, 7, 7)
    assert state["model.25.weight"].shape == (1024, 512, 3, 3)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(182.4e6, rel=1e-3)


def test_local_layout_is_the_published_one() -> None:
    with torch.device("meta"):
        network = LocalEnhancer(3, 3, ngf=32, n_downs=4, n_blocks=9, n_local_blocks=3)
    state = network.state_dict()
    assert len(state) == 74
    assert [k for k in state if k.startswith("model.")] == published_global_keys()[:-2]
    assert state["model1_2.3.weight"].shape == (64, 32, 3, 3)
    assert state["model1_2.7.weight"].shape == (3, 32, 7, 7)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(182.7e6, rel=1e-3)


def test_discriminator_layout_is_the_published_one() -> None:
    state = MultiscaleDiscriminator(6, ndf=64, n_scales=2).state_dict()
    expected = [f"scale{s}_layer{i}.0.{k}" for s in (0, 1) for i in range(5) for k in ("weight", "bias")]
    assert list(state) == expected
    assert state["scale1_layer3.0.weight"].shape == (512, 256, 4, 4)


@pytest.mark.parametrize("kind", [GlobalGenerator, LocalEnhancer])
def test_attention_has_its_own_keys_and_starts_as_the_identity(
    kind: type[GlobalGenerator] | type[LocalEnhancer],
) -> None:
    torch.manual_seed(0)
    plain = kind(3, 3, ngf=4, n_downs=2, n_blocks=1)
    attending = kind(3, 3, ngf=4, n_downs=2, n_blocks=1, attention=True)
    result = attending.load_state_dict(plain.state_dict(), strict=False)
    assert result.unexpected_keys == []
    assert {k.split(".")[0] for k in result.missing_keys} == {"attention"}
    x = torch.randn(1, 3, 16, 16)
    assert torch.equal(plain(x), attending(x))
    for block in attending.attention:
        block.gamma.data.fill_(1.0)
    assert not torch.allclose(plain(x), attending(x))


def test_skips_add_no_parameters_and_change_the_output() -> None:
    torch.manual_seed(0)
    plain, skipping = (GlobalGenerator(3, 3, 4, 2, 1, skips=s) for s in (False, True))
    skipping.load_state_dict(plain.state_dict())
    x = torch.randn(1, 3, 16, 16)
    assert not torch.allclose(plain(x), skipping(x))


@pytest.mark.parametrize("size", [(37, 45), (48, 40), (32, 64)])
@pytest.mark.parametrize("generator", ["global", "local"])
def test_any_size_comes_back_as_it_was(size: tuple[int, int], generator: str) -> None:
    config = TranslationConfig(generator=generator, ngf=2, n_downs=3, n_blocks=1, n_local_blocks=1)
    x = torch.randn(2, config.input_channels, *size)
    output = build_generator(config)(x)
    assert output.shape == (2, 3, *size)
    assert output.abs().max() <= 1


@pytest.mark.parametrize("mode", ["sewn", "full-face"])
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_parameter_gets_a_gradient(name: str, mode: str) -> None:
    torch.manual_seed(0)
    config = replace(preset(name, mode), ngf=4, n_blocks=2)
    generator = build_generator(config)
    for key, parameter in generator.named_parameters():
        if key.endswith("gamma"):
            parameter.data.fill_(0.5)
    generator(torch.randn(1, config.input_channels, 64, 64)).square().mean().backward()
    for key, parameter in generator.named_parameters():
        assert parameter.grad is not None, key
        # A bias before a norm, and a key's bias under a softmax, cannot change the output.
        if key.endswith(("weight", "gamma")):
            assert parameter.grad.abs().max() > 0, key


def test_presets_differ_in_size_and_width_not_in_method() -> None:
    sizes = {name: (c.size, c.ngf) for name, c in PRESETS.items()}
    assert sizes == {"draft": (256, 16), "standard": (512, 32), "broadcast": (720, 64)}
    assert all(c.attention and c.mouth_discriminator and c.feature_weight > 0 for c in PRESETS.values())
    draft = build_generator(preset("draft"))
    assert sum(p.numel() for p in draft.parameters()) >= 1_000_000
    assert preset("draft", "full-face").input_channels == 3


def test_unknown_names_list_what_there_is() -> None:
    with pytest.raises(ConfigError, match="available: broadcast, draft, standard"):
        preset("fast")
    with pytest.raises(ConfigError, match="available: full-face, sewn"):
        preset("draft", "half")
