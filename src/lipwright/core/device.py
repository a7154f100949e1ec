"""Which device networks run on."""

from __future__ import annotations

import os

from lipwright.core.errors import ConfigError


def torch_device(name: str) -> str:
    """'auto', 'cpu', 'cuda' or 'cuda:N' as torch's name; ConfigError for another or one that is not here.

    In a process that torchrun started, 'auto' and 'cuda' are the GPU of its local rank.
    """
    import torch

    if name not in ("auto", "cpu") and not name.startswith("cuda"):
        raise ConfigError(f"unknown device '{name}'; available: auto, cpu, cuda")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError("device 'cuda' is not available on this machine; use --device cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    local = os.environ.get("LOCAL_RANK")
    return f"cuda:{local}" if name == "cuda" and local is not None else name
