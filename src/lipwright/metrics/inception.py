"""The Inception network of FID, ready for the official weights, which users bring themselves.

The weights are TensorFlow's of 2015, ported; its pooling differs from the usual Inception v3 in places that
change the features, so the port's choices are kept: averages leave out the padding, and the last block takes
a maximum. Key layout: `pt_inception-2015-12-05`. Sources: Szegedy et al. 2016; Heusel et al. 2017.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.core.checkpoint import load_into, read_state

SIDE = 299
N_FEATURES, N_CLASSES = 2048, 1008
LEAST_FRAMES = 2048
"""With fewer frames the covariance of 2,048 features is singular and the value not comparable with others'."""

Size = int | tuple[int, int]


class _Conv(nn.Module):
    def __init__(self, channels: int, out: int, kernel: Size, stride: int = 1, padding: Size = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


def _row(channels: int, out: int) -> _Conv:
    return _Conv(channels, out, (1, 7), padding=(0, 3))


def _column(channels: int, out: int) -> _Conv:
    return _Conv(channels, out, (7, 1), padding=(3, 0))


def _wide() -> _Conv:
    return _Conv(384, 384, (1, 3), padding=(0, 1))


def _tall() -> _Conv:
    return _Conv(384, 384, (3, 1), padding=(1, 0))


def _mean3(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def _through(x: Tensor, *steps: nn.Module) -> Tensor:
    for step in steps:
        x = step(x)
    return x


class _BlockA(nn.Module):
    def __init__(self, channels: int, pool_features: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(channels, 64, 1)
        self.branch5x5_1, self.branch5x5_2 = _Conv(channels, 48, 1), _Conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _Conv(channels, 64, 1)
        self.branch3x3dbl_2, self.branch3x3dbl_3 = _Conv(64, 96, 3, padding=1), _Conv(96, 96, 3, padding=1)
        self.branch_pool = _Conv(channels, pool_features, 1)

    def forward(self, x: Tensor) -> Tensor:
        five = _through(x, self.branch5x5_1, self.branch5x5_2)
        double = _through(x, self.branch3x3dbl_1, self.branch3x3dbl_2, self.branch3x3dbl_3)
        return torch.cat([self.branch1x1(x), five, double, self.branch_pool(_mean3(x))], 1)


class _BlockB(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch3x3 = _Conv(288, 384, 3, 2)
        self.branch3x3dbl_1 = _Conv(288, 64, 1)
        self.branch3x3dbl_2, self.branch3x3dbl_3 = _Conv(64, 96, 3, padding=1), _Conv(96, 96, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        double = _through(x, self.branch3x3dbl_1, self.branch3x3dbl_2, self.branch3x3dbl_3)
        return torch.cat([self.branch3x3(x), double, F.max_pool2d(x, 3, 2)], 1)


class _BlockC(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(768, 192, 1)
        self.branch7x7_1, self.branch7x7_2, self.branch7x7_3 = _Conv(768, c, 1), _row(c, c), _column(c, 192)
        self.branch7x7dbl_1, self.branch7x7dbl_2, self.branch7x7dbl_3 = _Conv(768, c, 1), _column(c, c), _row(c, c)
        self.branch7x7dbl_4, self.branch7x7dbl_5 = _column(c, c), _row(c, 192)
        self.branch_pool = _Conv(768, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        seven = _through(x, self.branch7x7_1, self.branch7x7_2, self.branch7x7_3)
        double = _through(x, self.branch7x7dbl_1, self.branch7x7dbl_2, self.branch7x7dbl_3)
        double = _through(double, self.branch7x7dbl_4, self.branch7x7dbl_5)
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(_mean3(x))], 1)


class _BlockD(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = _Conv(768, 192, 1), _Conv(192, 320, 3, 2)
        self.branch7x7x3_1, self.branch7x7x3_2 = _Conv(768, 192, 1), _row(192, 192)
        self.branch7x7x3_3, self.branch7x7x3_4 = _column(192, 192), _Conv(192, 192, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        three = _through(x, self.branch3x3_1, self.branch3x3_2)
        seven = _through(x, self.branch7x7x3_1, self.branch7x7x3_2, self.branch7x7x3_3, self.branch7x7x3_4)
        return torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1)


class _BlockE(nn.Module):
    def __init__(self, channels: int, maximum: bool) -> None:
        super().__init__()
        self.maximum = maximum
        self.branch1x1 = _Conv(channels, 320, 1)
        self.branch3x3_1 = _Conv(channels, 384, 1)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _Conv(channels, 448, 1), _Conv(448, 384, 3, padding=1)
        self.branch3x3_2a, self.branch3x3_2b = _wide(), _tall()
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = _wide(), _tall()
        self.branch_pool = _Conv(channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        three, double = self.branch3x3_1(x), _through(x, self.branch3x3dbl_1, self.branch3x3dbl_2)
        pooled = F.max_pool2d(x, 3, 1, 1) if self.maximum else _mean3(x)
        parts = [self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three)]
        parts += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double), self.branch_pool(pooled)]
        return torch.cat(parts, 1)


class FidInception(nn.Module):
    """Inception up to its last average pooling ('pool3'); `fc` is only there because the weight file has it."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3, self.Conv2d_2a_3x3 = _Conv(3, 32, 3, 2), _Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = _Conv(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1, self.Conv2d_4a_3x3 = _Conv(64, 80, 1), _Conv(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = _BlockA(192, 32), _BlockA(256, 64), _BlockA(288, 64)
        self.Mixed_6a = _BlockB()
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d = _BlockC(128), _BlockC(160), _BlockC(160)
        self.Mixed_6e, self.Mixed_7a = _BlockC(192), _BlockD()
        self.Mixed_7b, self.Mixed_7c = _BlockE(1280, maximum=False), _BlockE(2048, maximum=True)
        self.fc = nn.Linear(N_FEATURES, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1], any size, to (B, 2048) features; resized to 299 bilinearly, no antialiasing."""
        x = 2 * F.interpolate(x, size=(SIDE, SIDE), mode="bilinear", align_corners=False) - 1
        x = _through(x, self.Conv2d_1a_3x3, self.Conv2d_2a_3x3, self.Conv2d_2b_3x3)
        x = _through(F.max_pool2d(x, 3, 2), self.Conv2d_3b_1x1, self.Conv2d_4a_3x3)
        x = F.max_pool2d(x, 3, 2)
        x = _through(x, *(getattr(self, f"Mixed_{n}") for n in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e")))
        return _through(x, self.Mixed_7a, self.Mixed_7b, self.Mixed_7c).mean(dim=(2, 3))


def load_inception(path: str | os.PathLike[str]) -> FidInception:
    """The network with the weights of a local file; CheckpointError when it is of another kind."""
    network = FidInception()
    state = read_state(path)
    # Files from before PyTorch counted batches lack these; they play no part in evaluation.
    counts = {k: v for k, v in network.state_dict().items() if k.endswith("num_batches_tracked")}
    load_into(network, counts | state, str(path))
    return network.eval().requires_grad_(False)


def inception_features(network: FidInception, pictures: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """(N, 2048) features of N RGB uint8 pictures, one at a time, so that sizes may differ."""
    found = []
    with torch.inference_mode():
        for picture in pictures:
            tensor = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float() / 255
            found.append(network(tensor)[0].numpy())
    return np.stack(found).astype(np.float64) if found else np.zeros((0, N_FEATURES))
