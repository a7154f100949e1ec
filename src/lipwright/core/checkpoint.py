"""A part on disk: `NAME.safetensors` (weights and its config as metadata). Loading never unpickles."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.core.errors import CheckpointError, OutputError
from lipwright.core.files import atomic_file, file_hash

if TYPE_CHECKING:
    import torch

UNHASHED = "unhashed"
"""Key of a config: names of tensors that `part_hash` leaves out."""


def save_tensors(
    path: str | os.PathLike[str], tensors: dict[str, torch.Tensor], config: dict[str, Any] | None = None
) -> None:
    """Write tensors and a JSON config, atomically. OutputError when the disk is full or not writable."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    clean = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    with atomic_file(path) as temporary:
        try:
            save_file(clean, str(temporary), metadata={"config": json.dumps(config or {})})
        except SafetensorError as error:  # how it reports a full disk
            raise OutputError(f"cannot write {path}: {error}; free some space and run again") from error


def load_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read (tensors, config); CheckpointError when the file is missing, truncated or of another kind."""
    with _opened(path) as file:
        return {key: file.get_tensor(key) for key in file.keys()}, _config(file)  # noqa: SIM118


def load_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The config alone, without reading the tensors; CheckpointError as `load_tensors`."""
    with _opened(path) as file:
        return _config(file)


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"weights {path} are missing; copy the whole persona folder again or retrain")
    try:
        with safe_open(str(path), framework="pt") as file:
            yield file
    except (SafetensorError, ValueError, OSError) as error:
        raise CheckpointError(
            f"{path} is not a readable safetensors file ({error}); copy it again or retrain"
        ) from error


def _config(file: Any) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((file.metadata() or {}).get("config", "{}"))
    return config


def part_hash(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a part, hexadecimal: of the whole file, or without the tensors that its config names as `UNHASHED`.

    Those may be large and are mapped, not read; whoever uses them checks them piece by piece.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        head = file.read(8)
        head += file.read(int.from_bytes(head, "little"))
        about = json.loads(head[8:])
        config = json.loads(about.pop("__metadata__", {}).get("config", "{}"))
        left_out = config.get(UNHASHED, [])
        if not left_out:
            return file_hash(path)
        digest.update(head)
        for name in sorted(set(about) - set(left_out)):
            start, stop = about[name]["data_offsets"]
            file.seek(len(head) + start)
            digest.update(file.read(stop - start))
    return digest.hexdigest()


def load_into(module: torch.nn.Module, tensors: dict[str, torch.Tensor], where: str) -> None:
    """Strictly load a state dict; CheckpointError says which keys or shapes differ."""
    check_layout(module, tensors, where)
    module.load_state_dict(tensors)


def check_layout(module: torch.nn.Module, tensors: dict[str, torch.Tensor], where: str) -> None:
    """CheckpointError when `tensors` has not exactly the keys and shapes of the module's state."""
    own = module.state_dict()
    missing = sorted(set(own) - set(tensors))
    extra = sorted(set(tensors) - set(own))
    wrong = [k for k in own if k in tensors and own[k].shape != tensors[k].shape]
    if missing or extra or wrong:
        parts = [
            f"{len(names)} {label} (first {names[0]})"
            for names, label in ((missing, "missing"), (extra, "unknown"), (wrong, "of another shape"))
            if names
        ]
        raise CheckpointError(f"{where} holds weights of another model: {', '.join(parts)}; retrain it")


def read_state(path: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """Tensors by name of a weight file the user brought: safetensors, or PyTorch's own read without running code.

    CheckpointError when the file is missing, unreadable, or holds anything but named tensors.
    """
    import torch

    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"weights {path} do not exist; bring the file with `lipwright models add`")
    if path.suffix == ".safetensors":
        return load_tensors(path)[0]
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken archive may raise nearly anything
        raise CheckpointError(
            f"{path} is not a readable weight file ({type(error).__name__}); copy it again"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise CheckpointError(f"{path} does not hold named tensors only; give a plain state dict")
    return dict(state)
