"""Wav2Lip's generator, sync expert and quality discriminator, in the layout of the published checkpoints.

Prajwal et al., "A lip sync expert is all you need for speech to lip generation in the wild" (2020). Faces are BGR in
[0, 1], 96x96; sound is 16 columns of `speech.wav2lip_mel` (0.2 s). `divide` makes all hidden layers narrower, for
teachers trained on footage of one's own.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipwright.core import wav2lip_weights
from lipwright.core.checkpoint import load_config
from lipwright.core.errors import ShapeError
from lipwright.core.wav2lip_layout import Unit, units

SIDE, COLUMNS, WINDOW_FRAMES = 96, 16, 5


class ConvUnit(nn.Module):
    """A convolution with norm and activation, whose input may be added before the activation."""

    def __init__(self, unit: Unit) -> None:
        super().__init__()
        convolution: nn.Module
        if unit.transposed:
            extra = unit.stride[0] - 1, unit.stride[1] - 1
            convolution = nn.ConvTranspose2d(unit.n_in, unit.n_out, unit.kernel, unit.stride, unit.padding, extra)
        else:
            convolution = nn.Conv2d(unit.n_in, unit.n_out, unit.kernel, unit.stride, unit.padding)
        self.conv_block = nn.Sequential(convolution, *([nn.BatchNorm2d(unit.n_out)] if unit.norm else []))
        self.act = nn.ReLU() if unit.norm else nn.LeakyReLU(0.01, inplace=True)
        self.residual = unit.residual

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the unit's own channels and size."""
        out = self.conv_block(x)
        return self.act(out + x if self.residual else out)


def _chain(network: str, prefix: str, divide: int) -> nn.Sequential:
    return nn.Sequential(*(ConvUnit(u) for u in units(network, divide) if u.name.startswith(f"{prefix}.")))


def _blocks(network: str, prefix: str, divide: int) -> nn.ModuleList:
    """Units named `prefix.block.unit`, grouped by block."""
    grouped: dict[str, list[nn.Module]] = {}
    for unit in units(network, divide):
        if unit.name.startswith(f"{prefix}."):
            grouped.setdefault(unit.name.rsplit(".", 1)[0], []).append(ConvUnit(unit))
    return nn.ModuleList(nn.Sequential(*members) for members in grouped.values())


class Wav2Lip(nn.Module):
    """Sound and a face whose lower half is blank to that face saying the sound. 36.3 M parameters."""

    def __init__(self, divide: int = 1) -> None:
        super().__init__()
        self.face_encoder_blocks = _blocks("generator", "face_encoder_blocks", divide)
        self.audio_encoder = _chain("generator", "audio_encoder", divide)
        self.face_decoder_blocks = _blocks("generator", "face_decoder_blocks", divide)
        head = next(u for u in units("generator", divide) if u.name == "output_block.0")
        self.output_block = nn.Sequential(ConvUnit(head), nn.Conv2d(head.n_out, 3, 1), nn.Sigmoid())

    def forward(self, mel: Tensor, faces: Tensor) -> Tensor:
        """Frames of mouths, or windows of T of them.

        Args:
            mel: (B, 1, 80, 16), or (B, T, 1, 80, 16).
            faces: (B, 6, 96, 96), or (B, 6, T, 96, 96): target with its lower half 0, then a reference; BGR in [0, 1].
        Returns:
            (B, 3, 96, 96), or (B, 3, T, 96, 96), in (0, 1).
        """
        _check("mel", mel, (1, 80, COLUMNS) if mel.ndim < 5 else (mel.shape[1], 1, 80, COLUMNS))
        if mel.ndim < 5:
            _check("faces", faces, (6, SIDE, SIDE))
            return self._frames(mel, faces)
        n_frames = mel.shape[1]
        _check("faces", faces, (6, n_frames, SIDE, SIDE))
        out = self._frames(mel.transpose(0, 1).flatten(0, 1), faces.permute(2, 0, 1, 3, 4).flatten(0, 1))
        return out.unflatten(0, (n_frames, -1)).permute(1, 2, 0, 3, 4)

    def _frames(self, mel: Tensor, faces: Tensor) -> Tensor:
        skips = []
        for block in self.face_encoder_blocks:
            faces = block(faces)
            skips.append(faces)
        x = self.audio_encoder(mel)
        for block in self.face_decoder_blocks:
            x = torch.cat([block(x), skips.pop()], dim=1)
        drawn: Tensor = self.output_block(x)
        return drawn


class SyncExpert(nn.Module):
    """Wav2Lip's `SyncNet_color`: five lower halves and their sound as unit vectors, near when in sync. 16.4 M."""

    def __init__(self, divide: int = 1) -> None:
        super().__init__()
        self.face_encoder = _chain("expert", "face_encoder", divide)
        self.audio_encoder = _chain("expert", "audio_encoder", divide)

    def forward(self, mel: Tensor, halves: Tensor) -> tuple[Tensor, Tensor]:
        """Two (B, 512) embeddings, not negative, of length 1: of sound and of lips.

        Args:
            mel: (B, 1, 80, 16).
            halves: (B, 15, 48, 96): lower halves of five frames one after the other, BGR in [0, 1].
        """
        _check("mel", mel, (1, 80, COLUMNS))
        _check("halves", halves, (3 * WINDOW_FRAMES, SIDE // 2, SIDE))
        sound, lips = self.audio_encoder(mel).flatten(1), self.face_encoder(halves).flatten(1)
        return functional.normalize(sound, dim=1), functional.normalize(lips, dim=1)


class QualityDiscriminator(nn.Module):
    """Wav2Lip's judge of lower halves, frame by frame."""

    def __init__(self, divide: int = 1) -> None:
        super().__init__()
        self.face_encoder_blocks = _blocks("quality", "face_encoder_blocks", divide)
        self.binary_pred = nn.Sequential(nn.Conv2d(512 // divide, 1, 1), nn.Sigmoid())

    def forward(self, faces: Tensor) -> Tensor:
        """(T·B, 1) chance of each frame being real, frames first, of (B, 3, T, 96, 96) BGR in [0, 1]."""
        if faces.ndim != 5:
            raise ShapeError("faces", ("B", 3, "T", SIDE, SIDE), tuple(faces.shape))
        _check("faces", faces, (3, faces.shape[2], SIDE, SIDE))
        x = faces.permute(2, 0, 1, 3, 4).flatten(0, 1)[:, :, SIDE // 2 :]
        for block in self.face_encoder_blocks:
            x = block(x)
        chance: Tensor = self.binary_pred(x).flatten(1)
        return chance


def load_generator(path: Path) -> Wav2Lip:
    """The generator with the weights of a file, in `eval` mode; CheckpointError when it is another network's."""
    model = Wav2Lip()
    model.load_state_dict(wav2lip_weights.read(path, "generator"), strict=True)
    return model.eval()


def load_teacher(path: Path) -> tuple[Wav2Lip, str]:
    """A generator of any width in `eval` mode, and the mel windows it was made for ('compat' or 'aligned').

    Files of `lipwright train-teacher` say both; published weights have the full width and Wav2Lip's own inference.
    """
    about = load_config(path) if path.suffix == ".safetensors" else {}
    divide = int(about.get("divide", 1))
    model = Wav2Lip(divide)
    model.load_state_dict(wav2lip_weights.read(path, "generator", divide), strict=True)
    return model.eval(), str(about.get("mode", "compat"))


def load_expert(path: Path) -> SyncExpert:
    """The sync expert with the weights of a file, in `eval` mode; CheckpointError when it is another network's."""
    model = SyncExpert()
    model.load_state_dict(wav2lip_weights.read(path, "expert"), strict=True)
    return model.eval()


def load_quality(path: Path) -> QualityDiscriminator:
    """The quality discriminator with the weights of a file; CheckpointError when it is another network's."""
    model = QualityDiscriminator()
    model.load_state_dict(wav2lip_weights.read(path, "quality"), strict=True)
    return model.eval()


def _check(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(tensor.shape[1:]) != shape:
        raise ShapeError(name, ("B", *shape), tuple(tensor.shape))
