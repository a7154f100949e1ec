"""The exported form draws what the network draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lipwright.core.errors import ConfigError, DependencyError
from lipwright.render.crossmodal import export
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.export import Exported, StridedReduction, openvino_drawing, to_onnx
from lipwright.render.crossmodal.networks import CrossModal, Reduction

CONFIG = CrossModalConfig(size=256, window=3, speech_dim=5)
REGION = (70, 110, 200, 250)


def network() -> CrossModal:
    torch.manual_seed(4)
    return CrossModal(CONFIG, (80, 130, 96)).eval()


def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return torch.rand(1, 3, 256, 256, generator=generator), torch.rand(1, 3, 5, generator=generator)


@pytest.mark.parametrize("side", [96, 104, 128, 136, 192])
def test_the_reduction_by_strides_is_the_antialiased_one(side: int) -> None:
    x = torch.randn(2, 3, 256, 256, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(StridedReduction(3, 256, side)(x), Reduction(side)(x), atol=5e-5, rtol=0)


@pytest.mark.parametrize("region", [None, REGION])
def test_exported_layers_draw_the_same(region: tuple[int, int, int, int] | None) -> None:
    model = network()
    with torch.no_grad():
        wanted = model.draw(*inputs(), region)
        torch.testing.assert_close(Exported(model, region)(*inputs()), wanted, atol=1e-4, rtol=0)
    assert isinstance(model.reduction, Reduction)  # the network itself is left alone


@pytest.mark.slow
def test_onnx_in_openvino_draws_the_same(tmp_path: Path) -> None:
    for package in ("onnx", "onnxscript", "openvino"):
        pytest.importorskip(package, exc_type=ImportError)
    model = network()
    to_onnx(model, tmp_path / "head.onnx", REGION)
    with torch.no_grad():
        wanted = model.draw(*inputs(), REGION).numpy()
    strokes, speech = (x.numpy() for x in inputs())
    drawn = openvino_drawing(tmp_path / "head.onnx", "fp32", threads=1)(strokes, speech)
    assert drawn.shape == (1, 3, 140, 130)
    assert np.abs(drawn - wanted).max() * 127.5 < 0.1
    coarse = openvino_drawing(tmp_path / "head.onnx", "bf16", threads=1)(strokes, speech)
    assert np.abs(coarse - wanted).mean() * 127.5 < 2


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="unknown precision 'int8'; available: fp32, bf16"):
        openvino_drawing(tmp_path / "none.onnx", "int8")
    monkeypatch.setattr(export.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match="onnx is not installed"):
        to_onnx(network(), tmp_path / "head.onnx")
