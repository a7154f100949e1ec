"""SyncNet: 0.2 s of lips and 0.2 s of sound as two points, near each other when they belong together.

Chung and Zisserman, "Out of time: automated lip sync in the wild" (2016), in the layout of syncnet_python, so that
its published weights load as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lipwright.core import syncnet_weights
from lipwright.core.contracts import F32, U8
from lipwright.core.errors import ShapeError

SIDE = 224
WINDOW_FRAMES, WINDOW_ROWS = 5, 20
ROWS_PER_FRAME = 4
EMBEDDING = 1024
_BATCH = 4
"""Windows at once: more need more memory (20 MB a window) and are not faster on a CPU."""


class SyncNet(nn.Module):
    """Two towers of convolutions, each ending in 1024 numbers that are not normalised. Made in `eval` mode."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_unit2d(1, 64, 3, 1),
            nn.MaxPool2d(1, 1),
            *_unit2d(64, 192, 3, 1),
            nn.MaxPool2d(3, (1, 2)),
            *_unit2d(192, 384, 3, 1),
            *_unit2d(384, 256, 3, 1),
            *_unit2d(256, 256, 3, 1),
            nn.MaxPool2d(3, 2),
            *_unit2d(256, 512, (5, 4), 0),
        )
        self.netfcaud = _head()
        self.netfclip = _head()
        self.netcnnlip = nn.Sequential(
            *_unit3d(3, 96, (5, 7, 7), (1, 2, 2), 0),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_unit3d(96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1)),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_unit3d(256, 256, (1, 3, 3), 1, (0, 1, 1)),
            *_unit3d(256, 256, (1, 3, 3), 1, (0, 1, 1)),
            *_unit3d(256, 256, (1, 3, 3), 1, (0, 1, 1)),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_unit3d(256, 512, (1, 6, 6), 1, 0),
        )
        self.eval()

    def sound(self, mfcc: Tensor) -> Tensor:
        """(B, 1024) of (B, 1, 13, 20) cepstra: coefficients down, 10 ms rows across."""
        return self.netfcaud(self.netcnnaud(mfcc).flatten(1))

    def lips(self, faces: Tensor) -> Tensor:
        """(B, 1024) of (B, 3, 5, 224, 224) faces: BGR, grey levels 0 to 255, five frames at 25 fps."""
        return self.netfclip(self.lip_features(faces))

    def lip_features(self, faces: Tensor) -> Tensor:
        """(B, 512) before the last layers, for (B, 3, 5, 224, 224) faces."""
        return self.netcnnlip(faces).flatten(1)


def load_syncnet(path: Path) -> SyncNet:
    """The network with the weights of a file; CheckpointError when it is another network's."""
    model = SyncNet()
    model.load_state_dict(syncnet_weights.read(path), strict=True)
    return model


def embed_sound(model: SyncNet, cepstra: NDArray[Any], n_windows: int, batch: int = 100) -> F32:
    """(n, 1024) of the first `n_windows` windows of (rows, 13) MFCC: window t has rows 4 t to 4 t + 19."""
    if len(cepstra) < ROWS_PER_FRAME * (n_windows - 1) + WINDOW_ROWS:
        raise ShapeError("cepstra", (f">= {ROWS_PER_FRAME * (n_windows - 1) + WINDOW_ROWS}", 13), cepstra.shape)
    rows = torch.from_numpy(np.ascontiguousarray(cepstra.T)).to(_kind(model))
    result = np.zeros((n_windows, EMBEDDING), np.float32)
    with torch.inference_mode():
        for a in range(0, n_windows, batch):
            starts = [ROWS_PER_FRAME * t for t in range(a, min(a + batch, n_windows))]
            windows = torch.stack([rows[None, :, s : s + WINDOW_ROWS] for s in starts])
            result[a : a + len(starts)] = model.sound(windows).float().numpy()
    return result


def embed_lips(model: SyncNet, faces: Iterable[U8], n_windows: int, batch: int = _BATCH) -> F32:
    """(n, 1024) of the first `n_windows` windows of 224x224 BGR faces: window t has frames t to t + 4.

    Faces are read one by one; `batch` + 4 of them are held.
    """
    result, stream, held = np.zeros((n_windows, EMBEDDING), np.float32), iter(faces), list[U8]()
    with torch.inference_mode():
        for a in range(0, n_windows, batch):
            size = min(batch, n_windows - a)
            held = [*held[-(WINDOW_FRAMES - 1) :], *islice(stream, size + WINDOW_FRAMES - 1 - min(len(held), 4))]
            if len(held) < size + WINDOW_FRAMES - 1 or held[0].shape != (SIDE, SIDE, 3):
                shape = held[0].shape if held else ()
                raise ShapeError("faces", (f">= {n_windows + 4}", SIDE, SIDE, 3), (a + len(held), *shape))
            pixels = torch.from_numpy(np.stack(held)).permute(3, 0, 1, 2).to(_kind(model))
            windows = torch.stack([pixels[:, k : k + WINDOW_FRAMES] for k in range(size)])
            result[a : a + size] = model.lips(windows).float().numpy()
    return result


def _kind(model: SyncNet) -> torch.dtype:
    return next(model.parameters()).dtype


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, EMBEDDING))


def _unit2d(n_in: int, n_out: int, kernel: int | tuple[int, int], padding: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(n_in, n_out, kernel, padding=padding), nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)


def _unit3d(
    n_in: int,
    n_out: int,
    kernel: tuple[int, int, int],
    stride: int | tuple[int, int, int],
    padding: int | tuple[int, int, int],
) -> tuple[nn.Module, ...]:
    return nn.Conv3d(n_in, n_out, kernel, stride, padding), nn.BatchNorm3d(n_out), nn.ReLU(inplace=True)
