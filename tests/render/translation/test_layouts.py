"""Names and shapes of published pix2pixHD networks, one by one, and weights in that layout as a start."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from lipwright.core.errors import CheckpointError
from lipwright.render.translation.config import TranslationConfig, preset
from lipwright.render.translation.discriminators import MultiscaleDiscriminator
from lipwright.render.translation.networks import GlobalGenerator, LocalEnhancer, build_generator
from lipwright.render.translation.start import initial_weights

PUBLISHED: dict[str, dict[str, list[int]]] = json.loads(
    (Path(__file__).parent / "pix2pixhd_layouts.json").read_text(encoding="utf-8")
)
"""Key to shape in the order of the published state dicts."""
SMALL = TranslationConfig(size=64, mode="full-face", ngf=4, n_downs=2, n_blocks=1)


def layout(network: torch.nn.Module) -> list[tuple[str, list[int]]]:
    return [(key, list(tensor.shape)) for key, tensor in network.state_dict().items()]


def test_generators_have_every_published_name_and_shape() -> None:
    with torch.device("meta"):
        whole, local = GlobalGenerator(3, ngf=64), LocalEnhancer(3, ngf=32, n_downs=4)
    assert layout(whole) == list(PUBLISHED["global"].items())
    assert sorted(layout(local)) == sorted(PUBLISHED["local"].items())


@pytest.mark.parametrize("scales", [2, 3])
def test_discriminators_have_every_published_name_and_shape(scales: int) -> None:
    """A third scale repeats the layout of the others under its own number."""
    expected = dict(PUBLISHED["discriminator"])
    expected |= {k.replace("scale1", "scale2"): v for k, v in expected.items() if k.startswith("scale1")}
    expected = {k: v for k, v in expected.items() if int(k[5]) < scales}
    assert len(expected) == 10 * scales
    assert layout(MultiscaleDiscriminator(6, n_scales=scales)) == list(expected.items())


@pytest.mark.parametrize("size", [512, 720, 768, 1024])
@pytest.mark.parametrize("generator", ["global", "local"])
def test_broadcast_sizes_come_back_as_they_were(size: int, generator: str) -> None:
    """Four halvings inside the enhancer need a multiple of 32: 720 is padded to 736."""
    config = replace(preset("broadcast"), size=size, generator=generator, ngf=32)
    with torch.device("meta"):
        network = build_generator(config)
        assert network(torch.empty(1, config.input_channels, size, size)).shape == (1, 3, size, size)


def published(config: TranslationConfig) -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    return build_generator(replace(config, attention=False)).state_dict()


@pytest.mark.parametrize("generator", ["global", "local"])
def test_a_generator_starts_from_published_weights(tmp_path: Path, generator: str) -> None:
    config = replace(SMALL, generator=generator)
    file = tmp_path / "latest_net_G.pth"
    torch.save(published(config), file)
    start = initial_weights(file, config)
    begun, bare = build_generator(config), build_generator(replace(config, attention=False))
    begun.load_state_dict(start)
    bare.load_state_dict(published(config))
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(begun(x), bare(x)), "attention begins as the identity"


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    def refused(state: Any, match: str, config: TranslationConfig = SMALL) -> None:
        file = tmp_path / "net_G.pth"
        torch.save(state, file)
        with pytest.raises(CheckpointError, match=match):
            initial_weights(file, config)

    whole = published(SMALL)
    refused(whole, r"model\.1\.weight has shape \(4, 3, 7, 7\), this renderer's is \(4, 6, 7, 7\); .* full-face",
            replace(SMALL, mode="sewn"))  # fmt: skip
    refused(whole | {"extra": torch.zeros(1)}, r"1 unknown \(first extra\)")
    refused({k: v for k, v in whole.items() if k != "model.4.bias"}, r"1 missing \(first model\.4\.bias\)")
    refused({"epoch": 3}, "named tensors only")
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Path))
    with pytest.raises(CheckpointError, match="not a readable weight file"):
        initial_weights(tmp_path / "evil.pth", SMALL)
    with pytest.raises(CheckpointError, match="does not exist"):
        initial_weights(tmp_path / "none.pth", SMALL)
