"""The cascade as other engines take it: features, pose and cheeks of any number of frames to landmarks."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from lipwright.core.config import to_dict
from lipwright.core.contracts import F32
from lipwright.engines.engine import Variants
from lipwright.engines.network import Network, Port
from lipwright.motion.cascade import CHEEK_NUMBERS, POSE_NUMBERS, Cascade, CascadeConfig
from lipwright.motion.tcn import DilatedConv

LEAST_FRAMES = 16
"""Fewer at a time are left to torch."""
_FAST = 4
"""Rows of a fast feature per video frame."""
_FACE_PX = 1000
"""Pixels in one normalised unit, for errors: those of a face about 350 px wide."""
_UNIT = 100
"""Of the network's targets (motion.statistics)."""


class Exported(nn.Module):
    """A cascade that takes its features one by one, with plain convolutions in place of weight-normalised ones."""

    def __init__(self, cascade: Cascade) -> None:
        super().__init__()
        self.cascade = copy.deepcopy(cascade).float().cpu().eval()
        for part in list(self.cascade.modules()):
            if isinstance(part, DilatedConv):
                part.conv = _plain_conv(part.conv)
        self._names = names(cascade.config)

    def forward(self, *rows: Tensor) -> Tensor:
        """What `names` tells, in this order, to (1, T, 58)."""
        landmarks: Tensor = _landmarks(self.cascade, self._names, rows)
        return landmarks


def _plain_conv(conv: nn.Conv1d) -> nn.Conv1d:
    """A weight-normalised convolution with the weight it comes to."""
    found = nn.Conv1d(conv.in_channels, conv.out_channels, conv.kernel_size[0], dilation=conv.dilation[0])
    found.load_state_dict({"weight": conv.weight.detach(), "bias": conv.bias})
    return found.eval()


def names(config: CascadeConfig) -> list[str]:
    """Of all inputs that the networks look at: features, slow ones first, then pose and cheeks."""
    found = [name for name, _ in (*config.slow_features, *config.fast_features)]
    found += ["pose"] if config.pose_in_g1 or config.pose_in_g2 else []
    return found + (["cheeks"] if config.cheeks else [])


def _landmarks(cascade: Cascade, inputs: Sequence[str], rows: Sequence[Tensor]) -> Tensor:
    given = dict(zip(inputs, rows, strict=True))
    rate = _FAST if inputs[0] in dict(cascade.config.fast_features) else 1
    unseen = rows[0].new_zeros(1, rows[0].shape[1] // rate, 1)  # its length counts even where it is not looked at
    found: Tensor = cascade(given, given.get("pose", unseen), given.get("cheeks", unseen))[1]
    return found


def cascade_network(cascade: Cascade) -> Network:
    """The description of a cascade; errors are in pixels of a large face."""
    c = cascade.config
    features = [(name, dim, 1) for name, dim in c.slow_features] + [(name, dim, _FAST) for name, dim in c.fast_features]
    ports = [Port(name, (1, ("T", rate), dim), -2, 2) for name, dim, rate in features]
    ports += [Port("pose", (1, ("T", 1), POSE_NUMBERS), -2, 2), Port("cheeks", (1, ("T", 1), CHEEK_NUMBERS), -2, 2)]
    ports = [port for port in ports if port.name in names(c)]
    return Network(
        "motion",
        {"kind": "cascade", **to_dict(c)},
        cascade,
        partial(Exported, cascade),
        partial(_plain, cascade),
        tuple(ports),
        ("landmarks",),
        "px",
        _FACE_PX / _UNIT,
    )


class Elsewhere:
    """A cascade that another engine runs, called as the cascade itself; without its mouth components."""

    def __init__(self, cascade: Cascade, variants: Variants) -> None:
        self._cascade, self._variants, self._network = cascade, variants, cascade_network(cascade)

    def __call__(self, features: Mapping[str, Tensor], pose: Tensor, cheeks: Tensor) -> tuple[None, Tensor]:
        """As `Cascade.forward` for one clip: None and landmarks (1, T, 58), on the CPU."""
        given = {**features, "pose": pose, "cheeks": cheeks}
        inputs = [np.asarray(given[port.name].cpu().numpy(), np.float32) for port in self._network.inputs]
        run = self._variants.get(self._network) if pose.shape[1] >= LEAST_FRAMES else None
        return None, torch.from_numpy((run or self._network.plain)(*inputs)[0])


def _plain(cascade: Cascade, *rows: F32) -> tuple[F32, ...]:
    device = next(cascade.parameters()).device
    with torch.inference_mode():
        inputs = [torch.from_numpy(x).to(device) for x in rows]
        return (np.asarray(_landmarks(cascade, names(cascade.config), inputs).cpu().numpy(), np.float32),)
