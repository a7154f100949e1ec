"""Networks of renderers in layers that every runtime has."""

from __future__ import annotations

import copy

from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.render.translation.layers import InstanceNorm


class _Norm(nn.Module):
    """InstanceNorm as the layer of that name, which runtimes know; group normalisation they take apart."""

    def forward(self, x: Tensor) -> Tensor:
        return F.instance_norm(x, eps=1e-5)


def plain_layers(network: nn.Module) -> nn.Module:
    """A copy for export: float32, on the CPU, not training, normalised by the layer that runtimes know."""
    found = copy.deepcopy(network).float().cpu().eval()
    for parent in found.modules():
        for name, child in parent.named_children():
            if isinstance(child, InstanceNorm):
                setattr(parent, name, _Norm())
    return found
