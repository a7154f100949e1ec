"""Wav2Lip's published weights: state dicts and TorchScript archives, kept as safetensors.

A checkpoint is a dict with `state_dict` (keys prefixed `module.` by DataParallel) beside optimiser state, which is left
out: 416 MB become 145 MB. Current links give TorchScript archives instead. Those are opened by `torch.jit.load`, which
interprets their own restricted language, only here, once, when a user adds the file; nothing else opens them again.
"""

from __future__ import annotations

import pickle
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.core.checkpoint import load_tensors, save_tensors
from lipwright.core.errors import CheckpointError
from lipwright.core.wav2lip_layout import shapes

if TYPE_CHECKING:
    from torch import Tensor

_WANTED = {
    "generator": "give wav2lip.pth or wav2lip_gan.pth of Wav2Lip",
    "expert": "give lipsync_expert.pth of Wav2Lip",
    "quality": "give visual_quality_disc.pth of Wav2Lip",
}
_PREFIX = "module."


def read(path: Path, network: str, divide: int = 1) -> dict[str, Tensor]:
    """The tensors of 'generator', 'expert' or 'quality', by published name, floats as float32, on the CPU.

    `divide`: how much narrower than published (`wav2lip_layout.WIDTHS`).

    Counters that old PyTorch did not save (`num_batches_tracked`) are filled with 0.

    CheckpointError when the file holds code, cannot be read, or holds another network.
    """
    import torch

    held, wanted, advice = _load(path, _WANTED[network]), shapes(network, divide), _WANTED[network]
    held = {name.removeprefix(_PREFIX): tensor for name, tensor in held.items()}
    for name in wanted:
        if name.endswith("num_batches_tracked"):
            held.setdefault(name, torch.zeros((), dtype=torch.int64))
    missing, foreign = sorted(set(wanted) - set(held)), sorted(set(held) - set(wanted))
    if missing or foreign:
        said = f"has no {missing[0]}" if missing else f"holds {foreign[0]}, which this network lacks"
        raise CheckpointError(f"{path} {said} ({len(missing)} missing, {len(foreign)} foreign tensors); {advice}")
    for name, shape in wanted.items():
        tensor = held[name]
        if tuple(tensor.shape) != shape:
            raise CheckpointError(f"{path}: {name} has shape {tuple(tensor.shape)}, expected {shape}; {advice}")
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"{path}: {name} holds values that are not finite; {advice}")
    return {k: held[k].contiguous() if k.endswith("tracked") else held[k].float().contiguous() for k in wanted}


def check_generator(path: Path) -> None:
    """CheckpointError when the file is no Wav2Lip generator."""
    read(path, "generator")


def convert_generator(source: Path, target: Path) -> None:
    """Write a generator's tensors to `target` as safetensors."""
    save_tensors(target, read(source, "generator"), {"model": "wav2lip"})


def check_expert(path: Path) -> None:
    """CheckpointError when the file is no sync expert of Wav2Lip."""
    read(path, "expert")


def convert_expert(source: Path, target: Path) -> None:
    """Write an expert's tensors to `target` as safetensors."""
    save_tensors(target, read(source, "expert"), {"model": "wav2lip-expert"})


def _load(path: Path, advice: str) -> dict[str, Tensor]:
    import torch

    if path.suffix == ".safetensors":
        return load_tensors(path)[0]
    try:
        held: Any = (
            _script_state(path)
            if _is_script(path)
            else torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
        )
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} is not a plain file of tensors, and code in it will not be run ({_first(error)}); {advice}"
        ) from error
    except (OSError, EOFError, ValueError, RuntimeError, KeyError, AttributeError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path} cannot be read as weights ({_first(error)}); {advice}") from error
    if isinstance(held, dict) and isinstance(held.get("state_dict"), dict):
        held = held["state_dict"]
    if not isinstance(held, dict) or not all(isinstance(v, torch.Tensor) for v in held.values()):
        raise CheckpointError(f"{path} is no plain table of tensors; {advice}")
    return dict(held)


def _is_script(path: Path) -> bool:
    """Whether a file is a TorchScript archive: a zip with `constants.pkl`, which plain checkpoints lack."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _script_state(path: Path) -> dict[str, Tensor]:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit is on its way out; so are these files
        return dict(torch.jit.load(str(path), map_location="cpu").state_dict())


def _first(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].split(". ")[0].rstrip(".")[:120] if lines else type(error).__name__
