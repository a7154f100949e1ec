"""`--device auto`: the GPU when there is one."""

from __future__ import annotations

from lipwright.core.errors import ConfigError


def resolve(name: str) -> str:
    """cpu or cuda for `auto`, the name itself otherwise; ConfigError for a device that is not there."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cpu" and not name.startswith("cuda"):
        raise ConfigError(f"unknown device {name!r}; choose from auto, cpu, cuda")
    if name != "cpu" and not torch.cuda.is_available():
        raise ConfigError(f"device {name!r} is not available on this machine; use --device cpu")
    return name
