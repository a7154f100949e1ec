"""The cross-modal network as a file for other runtimes (ONNX), and running it with OpenVINO on a CPU.

The exported form draws the head, or a fixed region of it: instance normalisation and the antialiased reduction of the
paste become layers that runtimes have, with the same numbers; the mouth's own output layer is left out.
"""

from __future__ import annotations

import copy
import importlib.util
import logging
import math
import os
import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError, DependencyError
from lipwright.core.files import atomic_file
from lipwright.render.crossmodal.networks import STROKE_CHANNELS, CrossModal, Region
from lipwright.render.translation.layers import InstanceNorm

PRECISIONS = {"fp32": "f32", "bf16": "bf16"}
"""Of `openvino_drawing`, and what the runtime calls them."""
Drawing = Callable[[F32, F32], F32]
"""Strokes (1, 3, S, S) and speech (1, window, k) to the drawn region (1, 3, h, w) in [-1, 1]."""


class StridedReduction(nn.Module):
    """Antialiased bilinear reduction of (B, C, S, S) to (B, C, side, side) as two strided convolutions.

    Outputs repeat their taps every S / gcd input pixels, so one kernel for each phase does it. At the borders the
    filter loses taps and what is left is weighed up.
    """

    kernel: Tensor
    weight: Tensor

    def __init__(self, channels: int, size: int, side: int) -> None:
        super().__init__()
        self._blocks = math.gcd(size, side)
        self._step, self._phases, self._channels = size // self._blocks, side // self._blocks, channels
        self._margin = math.ceil(size / side) + 1
        whole = F.interpolate(torch.eye(size)[None, None], (side, size), mode="bilinear", antialias=True)[0, 0]
        middle = self._blocks // 2
        rows = whole[middle * self._phases : (middle + 1) * self._phases]
        left = middle * self._step - self._margin
        kernel = rows[:, left : left + self._step + 2 * self._margin]
        self.register_buffer("kernel", kernel.repeat(channels, 1)[:, None])
        seen = self._along(torch.ones(1, channels, 1, size))[0, 0, 0]
        self.register_buffer("weight", 1 / seen)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        across = self._along(x) * self.weight
        return (self._along(across.transpose(2, 3)) * self.weight).transpose(2, 3)

    def _along(self, x: Tensor) -> Tensor:
        """(B, C, H, S) to (B, C, H, side), edges not weighed up."""
        kernel = self.kernel[:, :, None]
        y = F.conv2d(x, kernel, stride=(1, self._step), padding=(0, self._margin), groups=self._channels)
        batch, _, height, blocks = y.shape
        y = y.view(batch, self._channels, self._phases, height, blocks).permute(0, 1, 3, 4, 2)
        return y.reshape(batch, self._channels, height, blocks * self._phases)


class _Norm(nn.Module):
    """InstanceNorm as the layer of that name, which runtimes know; group normalisation they take apart."""

    def forward(self, x: Tensor) -> Tensor:
        return F.instance_norm(x, eps=1e-5)


class Exported(nn.Module):
    """The drawing of one network in layers that other runtimes have; `region` as CrossModal.draw's, None: all."""

    def __init__(self, network: CrossModal, region: Region | None = None) -> None:
        super().__init__()
        size, width = network.config.size, network.config.width
        self.network, self._region = copy.deepcopy(network).float().cpu().eval(), region
        self.network.reduction = StridedReduction(width, size, network.mouth_square[2])
        for parent in self.network.modules():
            for name, child in parent.named_children():
                if isinstance(child, InstanceNorm):
                    setattr(parent, name, _Norm())

    def forward(self, strokes: Tensor, speech: Tensor) -> Tensor:
        """As CrossModal.draw."""
        return self.network.draw(strokes, speech, self._region)


def to_onnx(network: CrossModal, path: str | os.PathLike[str], region: Region | None = None) -> None:
    """Write the drawing of one picture as an ONNX file (inputs `strokes` and `speech`, output `head`), atomically.

    DependencyError without the extra 'export'.
    """
    c = network.config
    inputs = torch.zeros(1, STROKE_CHANNELS, c.size, c.size), torch.zeros(1, c.window, c.k)
    _needed("onnx", "onnxscript")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it tells of every operator of packages not installed
    with atomic_file(path) as temporary, torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        torch.onnx.export(
            Exported(network, region), inputs, str(temporary), dynamo=True, verbose=False, external_data=False,
            opset_version=18, input_names=["strokes", "speech"], output_names=["head"],
        )  # fmt: skip


def openvino_drawing(path: str | os.PathLike[str], precision: str = "bf16", threads: int = 0) -> Drawing:
    """What `to_onnx` wrote, ready to draw on a CPU.

    Args:
        precision: 'bf16' (float32 where the processor has no bfloat16) or 'fp32'.
        threads: cores to use; 0 leaves it to the runtime.
    DependencyError without the extra 'export', ConfigError for another precision.
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"unknown precision '{precision}'; available: {', '.join(PRECISIONS)}")
    _needed("openvino")
    import openvino

    core = openvino.Core()
    options = {"INFERENCE_PRECISION_HINT": PRECISIONS[precision], "PERFORMANCE_HINT": "LATENCY"}
    if threads:
        options["INFERENCE_NUM_THREADS"] = str(threads)
    request = core.compile_model(core.read_model(str(path)), "CPU", options).create_infer_request()

    def draw(strokes: F32, speech: F32) -> F32:
        return np.array(request.infer([strokes, speech])[0], np.float32)

    return draw


def _needed(*names: str) -> None:
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise DependencyError(f"{name} is not installed; pip install 'lipwright[export]'")
