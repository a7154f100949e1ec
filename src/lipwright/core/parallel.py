"""Several processes that train one model, each on its own crops: started by torchrun, nothing to configure.

Every process holds the whole model and makes the same steps, because gradients are averaged over all of them
before each step and whatever a clock decides is decided by the first. Only the first process writes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed as dist

from lipwright.core.errors import ConfigError

_PATIENCE = timedelta(hours=6)
"""The first process may prepare and train other parts for long while the others wait."""


def world() -> int:
    """How many processes train together; 1 without torchrun."""
    return dist.get_world_size() if _joined() else 1


def rank() -> int:
    """This process's number, 0 to world() - 1."""
    return dist.get_rank() if _joined() else 0


def started() -> bool:
    """Whether torchrun started this process beside others; ConfigError when its variables are half set."""
    told = {name: os.environ.get(name) for name in ("WORLD_SIZE", "RANK", "MASTER_PORT", "MASTER_ADDR")}
    if told["WORLD_SIZE"] in (None, "1"):
        return False
    for name, value in told.items():
        if not value or not (value.isdecimal() or name == "MASTER_ADDR"):
            raise ConfigError(
                f"WORLD_SIZE is {told['WORLD_SIZE']} but {name} is {value or 'not set'}; start several processes with "
                "torchrun, or unset WORLD_SIZE"
            )
    return True


def leads() -> bool:
    """Whether this process writes files and reports; also known before `group` is entered."""
    return not started() or os.environ["RANK"] == "0"


@contextmanager
def group(device: str) -> Iterator[None]:
    """Join the processes that torchrun started, inside the block; nothing happens without torchrun or within another.

    `device` cpu: gloo; cuda: NCCL.
    """
    if _joined() or not started():
        yield
        return
    backend = "gloo" if device == "cpu" else "nccl"
    if backend == "nccl":
        torch.cuda.set_device(device)
    dist.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield
    finally:
        dist.destroy_process_group()


def wait() -> None:
    """Go on when every process has come here."""
    if _joined():
        dist.barrier()


def agree(value: float) -> float:
    """The first process's value."""
    if not _joined():
        return value
    place = "cuda" if dist.get_backend() == "nccl" else "cpu"
    told = torch.tensor([value], dtype=torch.float64, device=place)
    dist.broadcast(told, 0)
    return float(told)


@torch.no_grad()
def average_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Replace each gradient by its mean over the processes; a parameter without one has none anywhere."""
    if world() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])  # one message instead of hundreds
    dist.all_reduce(flat)
    flat /= world()
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def _joined() -> bool:
    return dist.is_available() and dist.is_initialized()
