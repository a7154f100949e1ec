"""What is done to a network's drawing before it is shown: its repeated error is taken off, its detail given back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from lipwright.core.contracts import U8
from lipwright.render.crisp import Crisp
from lipwright.render.residual import Residual


@dataclass(frozen=True)
class Finish:
    """Both, as learnt when training was over; by default nothing is done."""

    crisp: Crisp = field(default_factory=Crisp)
    residual: Residual | None = None

    def __call__(self, picture: U8) -> U8:
        """A drawing (S, S, 3) as it is shown."""
        return self.crisp(picture if self.residual is None else self.residual(picture))

    def state(self) -> dict[str, torch.Tensor]:
        """For a persona; nothing where nothing is done."""
        return self.crisp.state() | ({} if self.residual is None else self.residual.state())

    @classmethod
    def from_state(cls, tensors: Mapping[str, torch.Tensor]) -> Finish:
        """Back from `state`."""
        return cls(Crisp.from_state(tensors), Residual.from_state(tensors))
