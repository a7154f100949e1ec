"""Networks as ONNX files: what every other engine starts from."""

from __future__ import annotations

import importlib.util
import logging
import os
import warnings

import torch

from lipwright.core.errors import DependencyError
from lipwright.core.files import atomic_file
from lipwright.engines.network import Network

OPSET = 18


def write_onnx(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network as one ONNX file, atomically; axes that count frames stay open.

    A module with such axes must take its inputs as `*rows`.
    DependencyError without the extra 'export'.
    """
    needed("onnx", "onnxscript")
    frames = torch.export.Dim("T", min=16)
    open_axes: dict[str, dict[int, object]] = {
        port.name: {
            i: n[1] * frames if n[1] > 1 else frames for i, n in enumerate(port.shape) if not isinstance(n, int)
        }
        for port in network.inputs
    }
    # Modules with open axes take their inputs as *rows, which counts as one argument.
    shapes = (tuple(open_axes[p.name] for p in network.inputs),) if any(open_axes.values()) else None
    module, inputs = network.make(), tuple(map(torch.from_numpy, network.example()))
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it tells of every operator of packages not installed
    with atomic_file(path) as temporary, torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own making
        torch.onnx.export(
            module, inputs, str(temporary), dynamo=True, verbose=False, external_data=False, opset_version=OPSET,
            input_names=[p.name for p in network.inputs], output_names=list(network.outputs), dynamic_shapes=shapes,
        )  # fmt: skip


def needed(*names: str) -> None:
    """DependencyError for the first package that is not installed."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise DependencyError(f"{name} is not installed; pip install 'lipwright[export]'")
