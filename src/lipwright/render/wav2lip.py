"""Wav2Lip's network (Prajwal et al. 2020), for the published weights that users bring: a method to compare with.

Names follow the published state dict. 36,298,035 parameters; 96 x 96 faces.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from lipwright.core.checkpoint import load_into, load_tensors

SIDE = 96


class Unit(nn.Module):
    """Convolution (or its transpose), batch norm, the input added where asked, ReLU."""

    def __init__(self, convolution: nn.Module, channels: int, residual: bool = False) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(convolution, nn.BatchNorm2d(channels))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the convolution's shape."""
        y = self.conv_block(x)
        return torch.relu(y + x if self.residual else y)


class Wav2Lip(nn.Module):
    """0.2 s of speech and a face whose lower half is hidden, beside a reference, to that face speaking."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder_blocks = nn.ModuleList(
            [
                _row(_conv(6, 16, 7, 1, 3)),
                _row(_conv(16, 32, 3, 2), *_same(32, 2)),
                _row(_conv(32, 64, 3, 2), *_same(64, 3)),
                _row(_conv(64, 128, 3, 2), *_same(128, 2)),
                _row(_conv(128, 256, 3, 2), *_same(256, 2)),
                _row(_conv(256, 512, 3, 2), *_same(512, 1)),
                _row(_conv(512, 512, 3, 1, 0), _conv(512, 512, 1, 1, 0)),
            ]
        )
        self.audio_encoder = _row(
            *(_conv(1, 32), *_same(32, 2)),
            *(_conv(32, 64, 3, (3, 1)), *_same(64, 2)),
            *(_conv(64, 128, 3, 3), *_same(128, 2)),
            *(_conv(128, 256, 3, (3, 2)), *_same(256, 1)),
            *(_conv(256, 512, 3, 1, 0), _conv(512, 512, 1, 1, 0)),
        )
        self.face_decoder_blocks = nn.ModuleList(
            [
                _row(_conv(512, 512, 1, 1, 0)),
                _row(_up(1024, 512, 1, 0, 0), *_same(512, 1)),
                _row(_up(1024, 512), *_same(512, 2)),
                _row(_up(768, 384), *_same(384, 2)),
                _row(_up(512, 256), *_same(256, 2)),
                _row(_up(320, 128), *_same(128, 2)),
                _row(_up(160, 64), *_same(64, 2)),
            ]
        )
        self.output_block = nn.Sequential(_conv(80, 32), nn.Conv2d(32, 3, 1), nn.Sigmoid())

    def forward(self, mel: Tensor, face: Tensor) -> Tensor:
        """The face with the mouth that was heard.

        Args: mel (B, 1, 80, 16); face (B, 6, 96, 96) in [0, 1], BGR: the target with its lower half 0, a reference.
        Returns: (B, 3, 96, 96) in [0, 1], BGR.
        """
        seen = []
        x = face
        for block in self.face_encoder_blocks:
            x = block(x)
            seen.append(x)
        x = self.audio_encoder(mel)
        for block in self.face_decoder_blocks:
            x = torch.cat([block(x), seen.pop()], 1)
        drawn: Tensor = self.output_block(x)
        return drawn


def load_wav2lip(path: Path) -> Wav2Lip:
    """The network with the weights of `lipwright models add wav2lip`, in eval mode."""
    tensors, _ = load_tensors(path)
    model = Wav2Lip()
    load_into(model, tensors, str(path))
    return model.eval()


def _row(*units: nn.Module) -> nn.Sequential:
    return nn.Sequential(*units)


def _conv(a: int, b: int, size: int = 3, stride: int | tuple[int, int] = 1, padding: int = 1) -> Unit:
    return Unit(nn.Conv2d(a, b, size, stride, padding), b)


def _same(channels: int, count: int) -> list[Unit]:
    return [Unit(nn.Conv2d(channels, channels, 3, 1, 1), channels, residual=True) for _ in range(count)]


def _up(a: int, b: int, stride: int = 2, padding: int = 1, more: int = 1) -> Unit:
    return Unit(nn.ConvTranspose2d(a, b, 3, stride, padding, more), b)
