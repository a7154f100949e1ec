"""What renderers share that draw with one image-to-image network: where and how it runs, and its file."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from lipwright.core.checkpoint import load_into
from lipwright.core.contracts import F32, U8
from lipwright.engines.engine import Engine, Variants
from lipwright.engines.network import Network
from lipwright.render.translation.precision import has_bf16

PREFIX = "generator."
"""Of the network's names in a file that also holds the geometry."""


class Generated:
    """A generator as a renderer runs it, by torch or in another engine.

    Args:
        generator: as trained; kept as it is.
        device: where torch runs it.
        bf16: whether it may draw in bfloat16 where the device has it.
    """

    def __init__(self, generator: nn.Module, device: str, bf16: bool) -> None:
        self.generator, self.device = generator, torch.device(device)
        # A copy in bfloat16: under autocast every frame would cast all weights again, a fifth of its time.
        self._dtype = torch.bfloat16 if bf16 and has_bf16(self.device) else torch.float32
        self.network = copy.deepcopy(generator).to(self.device, self._dtype).eval()
        self._elsewhere: Variants | None = None

    @property
    def threads(self) -> int:
        """Threads that drawing one frame keeps busy."""
        return torch.get_num_threads() if self._elsewhere is None else self._elsewhere.engine.threads

    def on(self, engine: Engine) -> Generated:
        """The same in another engine."""
        other = copy.copy(self)
        other._elsewhere = Variants(engine) if engine.name != "torch" else None
        return other

    def __call__(self, inputs: F32, network: Network) -> F32:
        """(B, C, S, S) to (B, 3, S, S) in [-1, 1]; `network` describes the generator to other engines."""
        run = None if self._elsewhere is None else self._elsewhere.get(network)
        if run is None:
            return self.by_torch(inputs)
        return np.concatenate([run(inputs[i : i + 1])[0] for i in range(len(inputs))]).astype(np.float32, copy=False)

    def by_torch(self, inputs: F32) -> F32:
        """The same, always by torch."""
        with torch.inference_mode():
            raw = self.network(torch.from_numpy(inputs).to(self.device, self._dtype)).float()
        return np.asarray(raw.cpu().numpy(), np.float32)

    def state(self) -> dict[str, Tensor]:
        """The weights by name, for a file."""
        return {f"{PREFIX}{k}": v for k, v in self.generator.state_dict().items()}


def load_generator(generator: nn.Module, tensors: Mapping[str, Tensor], where: str) -> nn.Module:
    """`generator` with the weights of `Generated.state`; CheckpointError when they are another network's."""
    load_into(generator, {k.removeprefix(PREFIX): v for k, v in tensors.items() if k.startswith(PREFIX)}, where)
    return generator


def halved(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights among `tensors` as 16-bit floats, for a narrow way home."""
    return {k: v.half() if k.startswith(PREFIX) and v.is_floating_point() else v for k, v in tensors.items()}


def picture(raw: F32) -> U8:
    """(3, S, S) in [-1, 1] to (S, S, 3) uint8."""
    scaled = np.clip(np.rint((raw + 1) * np.float32(127.5)), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(scaled.transpose(1, 2, 0))
