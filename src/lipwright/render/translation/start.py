"""Where a generator begins: another persona's renderer, or published pix2pixHD weights."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor

from lipwright.core.checkpoint import check_layout, load_tensors, read_state
from lipwright.core.config import from_dict
from lipwright.core.errors import CheckpointError
from lipwright.render.generated import PREFIX
from lipwright.render.translation.config import ARCHITECTURE, TranslationConfig
from lipwright.render.translation.networks import build_generator


def initial_weights(source: str | os.PathLike[str], config: TranslationConfig) -> dict[str, Tensor]:
    """A generator's state dict for `config`, for TranslationTask(start=...).

    Args:
        source: a persona folder with a trained renderer, a renderer's `.safetensors`, or a `.pth` in the layout
            of pix2pixHD's published `*_net_G.pth` (read without unpickling code).
    Raises CheckpointError naming what differs; sizes may, because convolutions do not know them.
    """
    path = Path(source)
    if not path.exists():
        raise CheckpointError(f"{source} does not exist; start from a persona, a renderer's file or a .pth")
    if path.is_dir():
        path = path / "renderer.safetensors"
        if not path.is_file():
            raise CheckpointError(f"{source} holds no trained renderer to start from; give a persona that has one")
    if path.suffix == ".safetensors":
        return _own(path, config)
    return _published(path, config)


def _own(path: Path, config: TranslationConfig) -> dict[str, Tensor]:
    tensors, described = load_tensors(path)
    weights = {k.removeprefix(PREFIX): v.float() for k, v in tensors.items() if k.startswith(PREFIX)}
    if not weights or "ngf" not in described:
        raise CheckpointError(f"{path} is not a translation renderer; give a persona trained with pose-adaptive")
    other = from_dict(TranslationConfig, described)
    differing = [name for name in ARCHITECTURE if getattr(other, name) != getattr(config, name)]
    if differing:
        told = ", ".join(f"{n} {getattr(other, n)} and not {getattr(config, n)}" for n in differing)
        raise CheckpointError(f"{path} cannot start this renderer: it has {told}; choose the same preset and mode")
    with torch.device("meta"):  # names and shapes alone
        check_layout(build_generator(config), weights, str(path))
    return weights


def _published(path: Path, config: TranslationConfig) -> dict[str, Tensor]:
    """Every key must be there with its shape, but attention's: the paper adds it, and it begins as the identity."""
    weights, generator = read_state(path), build_generator(config)
    own = generator.state_dict()
    for name, wanted in own.items():
        if name in weights and weights[name].shape != wanted.shape:
            raise CheckpointError(
                f"{path}: {name} has shape {tuple(weights[name].shape)}, this renderer's is {tuple(wanted.shape)}; "
                "pix2pixHD's global generator is --preset broadcast --mode full-face"
            )
    begun = {k: v for k, v in own.items() if k.startswith("attention.")}
    complete = begun | {k: v.float() for k, v in weights.items()}
    check_layout(generator, complete, str(path))
    return complete
