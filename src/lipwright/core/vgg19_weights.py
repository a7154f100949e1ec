"""VGG19's published weights (Simonyan and Zisserman 2015): of torchvision's file what a perceptual loss reads.

A tenth of the file: the classifier, nine tenths of its 548 MB, is left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lipwright.core.checkpoint import read_state, save_tensors
from lipwright.core.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

CHANNELS = {0: 64, 2: 64, 5: 128, 7: 128, 10: 256, 12: 256, 14: 256, 16: 256, 19: 512, 21: 512, 23: 512,
            25: 512, 28: 512}  # fmt: skip
"""Output channels of each convolution up to conv5_1, by its place in torchvision's `features`."""


def read(path: Path) -> dict[str, Tensor]:
    """`features.N.weight` and `.bias` up to conv5_1; CheckpointError when one is missing or of another shape."""
    state, before = read_state(path), 3
    wanted: dict[str, tuple[int, ...]] = {}
    for place, channels in CHANNELS.items():
        wanted |= {f"features.{place}.weight": (channels, before, 3, 3), f"features.{place}.bias": (channels,)}
        before = channels
    for name, shape in wanted.items():
        got = tuple(state[name].shape) if name in state else "nothing"
        if got != shape:
            raise CheckpointError(f"{path}: expected {name} of shape {shape}, got {got}; give torchvision's vgg19 file")
    return {name: state[name].float().contiguous() for name in wanted}


def check(path: Path) -> None:
    """CheckpointError when the file is no VGG19."""
    read(path)


def convert(source: Path, target: Path) -> None:
    """Write the tensors of `source` that are used to `target` as safetensors."""
    save_tensors(target, read(source), {"model": "vgg19"})
