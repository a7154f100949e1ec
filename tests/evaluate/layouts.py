"""LPIPS weights in the layout of the official files, with random numbers in them."""

from __future__ import annotations

import torch

LAYERS = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}


def alexnet() -> dict[str, torch.Tensor]:
    state = {}
    for index, (out, channels, side) in LAYERS.items():
        state[f"features.{index}.weight"] = torch.rand(out, channels, side, side) / (channels * side * side)
        state[f"features.{index}.bias"] = torch.zeros(out)
    return state


def linear() -> dict[str, torch.Tensor]:
    return {f"lin{k}.model.1.weight": torch.ones(1, out, 1, 1) for k, (out, _, _) in enumerate(LAYERS.values())}
