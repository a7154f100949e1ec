"""A network as other runtimes take it: layers, inputs, outputs, and what an error of it means."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lipwright.core.contracts import F32

if TYPE_CHECKING:
    from torch import nn

FORM = 1
"""Of the exported layers; another number makes every stored file stale."""
LEVELS = 127.5
"""8-bit levels in one unit of a picture in [-1, 1]."""


@dataclass(frozen=True)
class Port:
    """One input.

    Attributes:
        shape: whole numbers, or ('T', n) for n times the number of frames.
        low, high: between them lies what it usually gets; parity is tested on such numbers.
    """

    name: str
    shape: tuple[int | tuple[str, int], ...]
    low: float = 0.0
    high: float = 1.0

    def sized(self, frames: int) -> tuple[int, ...]:
        """The shape for a number of frames."""
        return tuple(n if isinstance(n, int) else frames * n[1] for n in self.shape)


class Runs(Protocol):
    """A network that runs. Thread-safe: several calls may be under way at once, each with its own inputs."""

    @property
    def engine(self) -> str:
        """'torch', 'openvino', 'onnxruntime' or 'tensorrt'."""

    @property
    def precision(self) -> str:
        """'fp32', 'bf16' or 'fp16': what it really computes in."""

    @property
    def threads(self) -> int:
        """Threads that one call keeps busy."""

    def __call__(self, *inputs: F32) -> tuple[F32, ...]:
        """Inputs as the network's ports, outputs in its order, float32."""


@dataclass(frozen=True)
class Network:
    """One network of a persona.

    Attributes:
        name: of files.
        shape: what decides how fast it runs (kind, sizes, region), not its weights.
        source: the module that holds the weights.
        make: the same in layers that all runtimes have: float32, on the CPU, not training.
        plain: how torch runs it here, in the precision it was made for.
        outputs: names.
        unit, per_unit: of errors ('levels', 'px'), and how many there are in 1 of an output.
    """

    name: str
    shape: Mapping[str, object]
    source: nn.Module
    make: Callable[[], nn.Module]
    plain: Callable[..., tuple[F32, ...]]
    inputs: tuple[Port, ...]
    outputs: tuple[str, ...]
    unit: str = "levels"
    per_unit: float = LEVELS

    def digest(self) -> str:
        """Hexadecimal name of exactly this network: weights, sizes and the form they are exported in."""
        found = hashlib.sha256(f"{FORM} {self.name} {sorted(self.shape.items())}".encode())
        for name, value in self.source.state_dict().items():
            found.update(f"{name} {tuple(value.shape)}".encode())
            found.update(np.ascontiguousarray(value.detach().float().cpu().numpy()).data)
        return found.hexdigest()[:24]

    def example(self, seed: int = 0, frames: int = 64) -> tuple[F32, ...]:
        """Inputs from a uniform distribution over each port's range."""
        rng = np.random.default_rng(seed)
        return tuple(rng.uniform(p.low, p.high, p.sized(frames)).astype(np.float32) for p in self.inputs)
