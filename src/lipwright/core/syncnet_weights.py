"""SyncNet's published weights: a plain state dict in a pickle, read safely and kept as safetensors.

Names and shapes are those of `syncnet_v2.model` (Chung and Zisserman, "Out of time: automated lip sync in the wild",
2016; syncnet_python). They are written down here because files are checked before any network is built.
"""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.core.checkpoint import save_tensors
from lipwright.core.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

_CONVOLUTIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "netcnnaud": (
        *((64, 1, 3, 3), (192, 64, 3, 3), (384, 192, 3, 3)),
        *((256, 384, 3, 3), (256, 256, 3, 3), (512, 256, 5, 4)),
    ),
    "netcnnlip": (
        *((96, 3, 5, 7, 7), (256, 96, 1, 5, 5), (256, 256, 1, 3, 3)),
        *((256, 256, 1, 3, 3), (256, 256, 1, 3, 3), (512, 256, 1, 6, 6)),
    ),
}
_CONVOLUTION_AT = (0, 4, 8, 11, 14, 18)
"""Places of the convolutions in their sequence; the batch norm follows each."""
_LINEAR = ("netfcaud", "netfclip")
_WANTED = "give the file syncnet_v2.model of syncnet_python"


def shapes() -> dict[str, tuple[int, ...]]:
    """Shape of each of the 102 tensors by name."""
    found: dict[str, tuple[int, ...]] = {}
    for net, kernels in _CONVOLUTIONS.items():
        for place, kernel in zip(_CONVOLUTION_AT, kernels, strict=True):
            found |= {f"{net}.{place}.weight": kernel, f"{net}.{place}.bias": kernel[:1]}
            found |= _norm(f"{net}.{place + 1}", kernel[0])
    for net in _LINEAR:
        found |= {f"{net}.0.weight": (512, 512), f"{net}.0.bias": (512,), **_norm(f"{net}.1", 512)}
        found |= {f"{net}.3.weight": (1024, 512), f"{net}.3.bias": (1024,)}
    return found


def _norm(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    sides = ("weight", "bias", "running_mean", "running_var")
    return {**{f"{name}.{side}": (channels,) for side in sides}, f"{name}.num_batches_tracked": ()}


def read(path: Path) -> dict[str, Tensor]:
    """The 102 tensors of a file, floats as float32, on the CPU.

    Counters that old PyTorch did not save (`num_batches_tracked`) are filled with 0. Nothing in the file is run.

    CheckpointError when the file holds code, anything but tensors, or other tensors.
    """
    import torch

    held = _load(path)
    wanted = shapes()
    for name in wanted:
        if name.endswith("num_batches_tracked"):
            held.setdefault(name, torch.zeros((), dtype=torch.int64))
    if set(held) != set(wanted):
        missing, foreign = sorted(set(wanted) - set(held)), sorted(set(held) - set(wanted))
        said = f"has no {missing[0]}" if missing else f"holds {foreign[0]}, which SyncNet lacks"
        raise CheckpointError(f"{path} {said} ({len(missing)} missing, {len(foreign)} foreign tensors); {_WANTED}")
    for name, shape in wanted.items():
        tensor = held[name]
        if tuple(tensor.shape) != shape:
            raise CheckpointError(f"{path}: {name} has shape {tuple(tensor.shape)}, expected {shape}; {_WANTED}")
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: {name} holds values that are not finite; {_WANTED}")
    return {k: held[k].contiguous() if k.endswith("tracked") else held[k].float().contiguous() for k in wanted}


def check(path: Path) -> None:
    """CheckpointError when the file is no SyncNet."""
    read(path)


def convert(source: Path, target: Path) -> None:
    """Write the tensors of `source` to `target` as safetensors."""
    save_tensors(target, read(source), {"model": "syncnet_v2"})


def _load(path: Path) -> dict[str, Tensor]:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return dict(load_file(str(path)))
        held: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} is not a plain file of tensors, and code in it will not be run ({_first(error)}); {_WANTED}"
        ) from error
    except (OSError, EOFError, ValueError, RuntimeError, KeyError, zipfile.BadZipFile, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read as weights ({_first(error)}); {_WANTED}") from error
    if not isinstance(held, dict) or not all(isinstance(v, torch.Tensor) for v in held.values()):
        raise CheckpointError(f"{path} is no plain table of tensors; {_WANTED}")
    return dict(held)


def _first(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].split(". ")[0].rstrip(".")[:120] if lines else type(error).__name__
