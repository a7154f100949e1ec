"""How far an engine's numbers are from torch's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from lipwright.core.contracts import F32
from lipwright.engines.network import Network, Runs

LIMITS = {
    "levels": {"fp32": 0.1, "bf16": 4.0, "fp16": 4.0},
    "px": {"fp32": 0.02, "bf16": 1.0, "fp16": 1.0},
}
"""Root mean square error beyond which an engine is not used, by unit: 8-bit levels or pixels."""


@dataclass(frozen=True)
class Error:
    """Distance from torch in float32, over all outputs, in the network's unit."""

    greatest: float
    rms: float

    @property
    def finite(self) -> bool:
        """Whether every number was one."""
        return bool(np.isfinite(self.greatest))


def reference(network: Network, inputs: tuple[F32, ...]) -> tuple[F32, ...]:
    """What torch computes in float32."""
    return in_torch(network.make(), inputs, torch.float32)


def in_torch(module: torch.nn.Module, inputs: tuple[F32, ...], dtype: torch.dtype) -> tuple[F32, ...]:
    """A module's outputs in a precision, as float32."""
    with torch.inference_mode():
        found = module.to(dtype)(*(torch.from_numpy(x).to(dtype) for x in inputs))
    outputs = found if isinstance(found, tuple) else (found,)
    return tuple(np.asarray(x.float().numpy(), np.float32) for x in outputs)


def difference(found: tuple[F32, ...], wanted: tuple[F32, ...], network: Network) -> Error:
    """The error of outputs; infinite where shapes differ or a number is none."""
    if [x.shape for x in found] != [x.shape for x in wanted]:
        return Error(float("inf"), float("inf"))
    off = np.concatenate([(a - b).ravel() for a, b in zip(found, wanted, strict=True)]).astype(np.float64)
    if not np.isfinite(off).all():
        return Error(float("inf"), float("inf"))
    off *= network.per_unit
    return Error(float(np.abs(off).max()), float(np.sqrt((off**2).mean())))


def parity(run: Runs, network: Network, seed: int = 0) -> Error:
    """The error of a running network on random inputs."""
    inputs = network.example(seed)
    return difference(run(*inputs), reference(network, inputs), network)
