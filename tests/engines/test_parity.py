"""Every network of a persona, exported: the same numbers in OpenVINO and ONNX Runtime as in torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.render.conftest import Person

from lipwright.engines.network import Network
from lipwright.engines.onnx_file import write_onnx
from lipwright.engines.parity import difference, in_torch, parity
from lipwright.engines.running import OnnxRuntime, OpenVino
from lipwright.motion.cascade import Cascade, CascadeConfig
from lipwright.motion.export import cascade_network
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.networks import CrossModal
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.render.head import HeadGeometry
from lipwright.render.translation.config import preset
from lipwright.render.translation.geometry import TranslationGeometry
from lipwright.render.translation.networks import build_generator
from lipwright.render.translation.renderer import TranslationRenderer

BF16 = 0.06
"""Root mean square error of bfloat16, of the spread of the output: it has eight bits. Of random weights, which pass
noise on as if it were picture (0.050 measured for the cross-modal network); trained ones differ by a tenth of that."""


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    for name in ("onnx", "onnxscript", "openvino", "onnxruntime"):
        pytest.importorskip(name, exc_type=ImportError)


def crossmodal(person: Person) -> Network:
    geometry = HeadGeometry.fit(person.landmarks, person.pose, 256)
    config = CrossModalConfig(size=256, window=3, speech_dim=5, bf16=False)
    torch.manual_seed(4)
    networks = CrossModalRenderer(CrossModal(config, geometry.mouth_square), geometry).networks()
    assert [n.name for n in networks] == [
        *("crossmodal-region", "crossmodal-head", "crossmodal-region-mouth", "crossmodal-head-mouth")
    ]
    return networks[2]


def translation(person: Person) -> Network:
    config = replace(preset("draft"), size=96, ngf=8, n_blocks=1, bf16=False)
    geometry = TranslationGeometry.fit(person.landmarks, person.pose, config.mode, config.size)
    torch.manual_seed(4)
    generator = build_generator(config)
    with torch.no_grad():
        for attention in generator.attention:
            attention.gamma.fill_(0.5)  # 0 at the start: attention would not be tested
    return TranslationRenderer(config, generator, geometry).networks()[0]


def motion(person: Person) -> Network:
    torch.manual_seed(4)
    cascade = Cascade(CascadeConfig(slow_features=(("phones", 4),), width=16)).eval()
    for parameter in cascade.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    return cascade_network(cascade)


@pytest.mark.slow
@pytest.mark.parametrize("make", [crossmodal, translation, motion])
def test_engines_agree_with_torch(make: object, person: Person, tmp_path: Path) -> None:
    network: Network = make(person)  # type: ignore[operator]
    write_onnx(network, tmp_path / "n.onnx")
    inputs = network.example(3)
    wanted = in_torch(network.make(), inputs, torch.float32)
    spread = max(float(x.std()) for x in wanted) * network.per_unit
    assert spread > (5 if network.unit == "levels" else 0.5), "a picture that is the same everywhere tests nothing"
    assert difference(network.plain(*inputs), wanted, network).greatest < 0.05
    for engine in (OpenVino, OnnxRuntime):
        run = engine(tmp_path / "n.onnx", "fp32")
        assert (run.precision, run.threads) == ("fp32", 1)
        assert parity(run, network, 3).greatest < 0.1, engine
    coarse = difference(in_torch(network.make(), inputs, torch.bfloat16), wanted, network)
    assert 1e-4 * spread < coarse.rms < BF16 * spread
    native = OpenVino(tmp_path / "n.onnx", "bf16")
    assert parity(native, network, 3).rms < (BF16 * spread if native.precision == "bf16" else 0.05)
    if network.name == "motion":
        longer = network.example(5, frames=151)
        for engine in (OpenVino, OnnxRuntime):
            found = engine(tmp_path / "n.onnx", "fp32")(*longer)
            assert found[0].shape == (1, 151, 58)
            assert difference(found, in_torch(network.make(), longer, torch.float32), network).greatest < 0.01


def test_an_error_is_the_greatest_and_the_root_mean_square_in_the_networks_unit(person: Person) -> None:
    network = motion(person)
    zero = np.zeros((1, 2, 2), np.float32)
    found = difference((np.array([[[3, 0], [0, 4]]], np.float32),), (zero,), network)
    assert (found.greatest, found.rms) == (40.0, 25.0)  # 10 px a unit
    assert not difference((np.full((1, 2, 2), np.nan, np.float32),), (zero,), network).finite
    assert not difference((zero[:, :1],), (zero,), network).finite
