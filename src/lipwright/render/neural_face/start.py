"""Where the neural face renderer begins: weights of rendered people (`lipwright.pretrain`), or others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from lipwright.core.checkpoint import load_tensors
from lipwright.core.errors import CheckpointError
from lipwright.render.neural_face.build import build_generator
from lipwright.render.neural_face.config import AUTO, NONE, NeuralFaceConfig

BUNDLED = Path(__file__).parents[2] / "assets" / "face_start.safetensors"
"""Weights for the preset `draft`, half precision; how they were made: `assets/README.md`."""
_LEARNER, _GENERATOR = "learner", "generator"
"""Who learns, and what a file calls the average of it."""


def begin(parts: Mapping[str, nn.Module], start: str) -> bool:
    """Give the networks their first weights; whether there were any.

    Args:
        parts: by name; `learner` is the generator. Convolutions do not know the size of pictures, so that may differ.
        start: as `NeuralFaceConfig.start`. A discriminator that the file lacks, or that does not fit, is left as it is.
    Raises CheckpointError where a file's generator does not fit.
    """
    if start == NONE:
        return False
    weights = _read(start)
    if not _suits(parts[_LEARNER], weights, start):
        return False
    for name, part in parts.items():
        own = _of(weights, _GENERATOR if name == _LEARNER else name)
        if _fits(part, own):
            part.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in own.items()})
    return True


def check_start(config: NeuralFaceConfig) -> None:
    """CheckpointError where the file that a configuration begins from is missing or of another network."""
    if config.start not in (NONE, AUTO):
        with torch.device("meta"):  # names and shapes alone
            _suits(build_generator(config), _read(config.start), config.start)


def contents(parts: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """What a file to begin from holds of a training's networks: the average, and its opponents."""
    return {f"{name}.{k}": v for name, part in parts.items() if name != _LEARNER for k, v in part.state_dict().items()}


def _read(start: str) -> dict[str, Tensor]:
    """A start's weights; of a persona's folder those of its renderer."""
    file = BUNDLED if start == AUTO else Path(start)
    return load_tensors(file / "renderer.safetensors" if file.is_dir() else file)[0]


def _suits(learner: nn.Module, weights: Mapping[str, Tensor], start: str) -> bool:
    fits = _fits(learner, _of(weights, _GENERATOR))
    if not fits and start != AUTO:
        raise CheckpointError(f"{start} cannot start this renderer: it is of another network; choose the same preset")
    return fits


def _of(weights: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {k.removeprefix(f"{name}."): v for k, v in weights.items() if k.startswith(f"{name}.")}


def _fits(part: nn.Module, weights: Mapping[str, Tensor]) -> bool:
    own = part.state_dict()
    return own.keys() == weights.keys() and all(own[k].shape == weights[k].shape for k in own)
