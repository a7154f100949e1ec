"""Wav2Lip's published weights: a checkpoint that also holds an optimiser, read safely and kept as safetensors.

Names and shapes are those of `wav2lip.pth` and `wav2lip_gan.pth` (Prajwal et al., "A lip sync expert is all you need",
2020). They are written down here because files are checked before any network is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.core.checkpoint import save_tensors
from lipwright.core.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

_FACE = ((6, 16, 7, 1), (16, 32, 3, 3), (32, 64, 3, 4), (64, 128, 3, 3), (128, 256, 3, 3), (256, 512, 3, 2))
"""Channels in and out and kernel of each block's first unit, and how many units; the rest are 3 x 3."""
_AUDIO = (1, 32, 32, 32, 64, 64, 64, 128, 128, 128, 256, 256, 512, 512)
_UP = ((1024, 512, 2), (1024, 512, 3), (768, 384, 3), (512, 256, 3), (320, 128, 3), (160, 64, 3))
_WANTED = "give wav2lip.pth or wav2lip_gan.pth as published, or their state_dict"


def _kernels() -> Iterator[tuple[str, tuple[int, int, int, int], int]]:
    """Name, kernel shape and outputs of each of the 50 convolution units."""
    for i, (n_in, n_out, size, units) in enumerate(_FACE):
        for j in range(units):
            yield f"face_encoder_blocks.{i}.{j}", (n_out, n_out if j else n_in, *(2 * (3 if j else size,))), n_out
    for j, size in enumerate((3, 1)):
        yield f"face_encoder_blocks.6.{j}", (512, 512, size, size), 512
    for j, (n_in, n_out) in enumerate(pairwise(_AUDIO)):
        size = 1 if j == len(_AUDIO) - 2 else 3
        yield f"audio_encoder.{j}", (n_out, n_in, size, size), n_out
    yield "face_decoder_blocks.0.0", (512, 512, 1, 1), 512
    for i, (n_in, n_out, units) in enumerate(_UP, start=1):
        for j in range(units):
            yield f"face_decoder_blocks.{i}.{j}", (n_out, n_out, 3, 3) if j else (n_in, n_out, 3, 3), n_out
    yield "output_block.0", (32, 80, 3, 3), 32


def shapes() -> dict[str, tuple[int, ...]]:
    """Shape of each of the 352 tensors by name."""
    found: dict[str, tuple[int, ...]] = {}
    for name, kernel, n_out in _kernels():
        found |= {f"{name}.conv_block.0.weight": kernel, f"{name}.conv_block.0.bias": (n_out,)}
        sides = ("weight", "bias", "running_mean", "running_var")
        found |= {f"{name}.conv_block.1.{side}": (n_out,) for side in sides}
        found[f"{name}.conv_block.1.num_batches_tracked"] = ()
    return {**found, "output_block.1.weight": (3, 32, 1, 1), "output_block.1.bias": (3,)}


def read(path: Path) -> dict[str, Tensor]:
    """The 352 tensors of a file, floats as float32, on the CPU; nothing in the file is run.

    CheckpointError when the file holds code (as TorchScript does), anything but tensors, or another network.
    """
    import torch

    held = {name.removeprefix("module."): tensor for name, tensor in _load(path).items()}
    wanted = shapes()
    for name, shape in wanted.items():
        if name.endswith("num_batches_tracked"):
            held.setdefault(name, torch.zeros((), dtype=torch.int64))
        if name not in held:
            raise CheckpointError(f"{path} has no {name}; {_WANTED}")
        if tuple(held[name].shape) != shape:
            raise CheckpointError(f"{path}: {name} has shape {tuple(held[name].shape)}, expected {shape}; {_WANTED}")
    foreign = sorted(set(held) - set(wanted))
    if foreign:
        raise CheckpointError(f"{path} holds {foreign[0]}, which Wav2Lip lacks; {_WANTED}")
    return {k: held[k].contiguous() if k.endswith("tracked") else held[k].float().contiguous() for k in wanted}


def check(path: Path) -> None:
    """CheckpointError when the file is no Wav2Lip."""
    read(path)


def convert(source: Path, target: Path) -> None:
    """Write the tensors of `source` to `target` as safetensors."""
    save_tensors(target, read(source), {"model": "wav2lip"})


def _load(path: Path) -> dict[str, Any]:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return dict(load_file(str(path)))
        held: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken archive may raise nearly anything
        script = "TorchScript" in str(error)
        said = "is TorchScript, which is code and will not be run" if script else "cannot be read without running code"
        if isinstance(error, (OSError, SafetensorError)):
            said = "cannot be read as weights"
        raise CheckpointError(f"{path} {said}; {_WANTED}") from error
    held = held.get("state_dict", held) if isinstance(held, dict) else held
    if not isinstance(held, dict) or not all(isinstance(v, torch.Tensor) for v in held.values()):
        raise CheckpointError(f"{path} is no table of tensors; {_WANTED}")
    return dict(held)
