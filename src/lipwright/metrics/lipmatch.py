"""LipMatch: lipwright's own sync scorer, 0.2 s of lips and 0.2 s of sound as two directions that meet when they fit.

The layout of SyncNet (Chung and Zisserman 2016: two towers of convolutions over five frames of lips and twenty rows
of MFCC), narrower, and with directions instead of points: the cosine of both is the fit. Its weights ship with
lipwright, because they are trained on rendered faces and synthetic voices only (`python -m lipwright.lipmatch`).
Its numbers are not LSE and compare with nothing but themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import normalize

from lipwright.core.checkpoint import load_into, load_tensors
from lipwright.core.contracts import F32, U8
from lipwright.core.errors import ShapeError
from lipwright.metrics.syncnet import ROWS_PER_FRAME, WINDOW_FRAMES, WINDOW_ROWS
from lipwright.speech.mfcc import COEFFICIENTS, int16_amplitudes, mfcc

SIDE = 48
"""Pixels of the square grey mouths."""
EMBEDDING = 128
WEIGHTS = Path(__file__).parents[1] / "assets" / "lipmatch.safetensors"
_BATCH = 256


class LipMatch(nn.Module):
    """Two towers of convolutions, each ending in a direction of 128 numbers. Made in `eval` mode."""

    def __init__(self) -> None:
        super().__init__()
        self.lips_tower = nn.Sequential(
            *_unit(WINDOW_FRAMES, 32, 5, 2, 2),
            *_unit(32, 48, 3, 2, 1),
            *_unit(48, 64, 3, 2, 1),
            *_unit(64, 96, 3, 2, 1),
            *_unit(96, 128, 3, 1, 0),
            nn.Flatten(),
            nn.Linear(128, EMBEDDING),
        )
        self.sound_tower = nn.Sequential(
            *_unit(1, 24, 3, 1, 1),
            *_unit(24, 48, 3, (1, 2), 1),
            *_unit(48, 64, 3, 2, 1),
            *_unit(64, 96, 3, (2, 1), 1),
            *_unit(96, 128, (4, 5), 1, 0),
            nn.Flatten(),
            nn.Linear(128, EMBEDDING),
        )
        self.register_buffer("cepstra_scale", torch.ones(COEFFICIENTS))
        self.eval()

    def lips(self, mouths: Tensor) -> Tensor:
        """(B, 128) directions of (B, 5, 48, 48) grey mouths, any scale: light and contrast are taken out."""
        deviation, mean = torch.std_mean(mouths, dim=(1, 2, 3), keepdim=True)
        return normalize(self.lips_tower((mouths - mean) / (deviation + 1e-3)), dim=1)

    def sound(self, cepstra: Tensor) -> Tensor:
        """(B, 128) directions of (B, 1, 13, 20) cepstra less the recording's mean, 10 ms rows across."""
        scale = self.get_buffer("cepstra_scale")[:, None]
        return normalize(self.sound_tower(cepstra / scale), dim=1)


def load_lipmatch(path: Path = WEIGHTS) -> tuple[LipMatch, dict[str, Any]]:
    """(network, its card); CheckpointError when the file is missing or another network's."""
    tensors, card = load_tensors(path)
    model = LipMatch()
    load_into(model, {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}, str(path))
    return model, card


def embed_mouths(model: LipMatch, mouths: U8) -> F32:
    """(T - 4, 128) directions of (T, 48, 48) grey mouths at 25 fps: window t has frames t to t + 4."""
    if mouths.ndim != 3 or mouths.shape[1:] != (SIDE, SIDE) or len(mouths) < WINDOW_FRAMES:
        raise ShapeError("mouths", (f">= {WINDOW_FRAMES}", SIDE, SIDE), mouths.shape)
    windows = torch.from_numpy(mouths).unfold(0, WINDOW_FRAMES, 1).permute(0, 3, 1, 2)
    with torch.inference_mode():
        found = [model.lips(windows[a : a + _BATCH].float()) for a in range(0, len(windows), _BATCH)]
    return torch.cat(found).numpy()


def embed_cepstra(model: LipMatch, cepstra: NDArray[Any], n_windows: int) -> F32:
    """(n, 128) directions of the first windows of (rows, 13) MFCC of a recording: window t has rows 4 t to 4 t + 19."""
    needed = ROWS_PER_FRAME * (n_windows - 1) + WINDOW_ROWS
    if n_windows < 1 or len(cepstra) < needed:
        raise ShapeError("cepstra", (f">= {needed}", COEFFICIENTS), cepstra.shape)
    centred = np.asarray(cepstra - cepstra.mean(axis=0), np.float32)
    windows = torch.from_numpy(centred).unfold(0, WINDOW_ROWS, ROWS_PER_FRAME)[:n_windows, None]
    with torch.inference_mode():
        found = [model.sound(windows[a : a + _BATCH]) for a in range(0, len(windows), _BATCH)]
    return torch.cat(found).numpy()


def embed_sound(model: LipMatch, samples: F32) -> F32:
    """Directions of all whole windows of (S,) 16 kHz samples, at 25 a second; ShapeError below 0.2 s."""
    cepstra = mfcc(int16_amplitudes(samples))
    return embed_cepstra(model, cepstra, (len(cepstra) - WINDOW_ROWS) // ROWS_PER_FRAME + 1)


def _unit(
    n_in: int, n_out: int, kernel: int | tuple[int, int], stride: int | tuple[int, int], padding: int
) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(n_in, n_out, kernel, stride, padding, bias=False)
    return convolution, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)
