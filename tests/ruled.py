"""Weights and inputs by rule, as the published networks were run to get their reference values."""

from __future__ import annotations

import zlib
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

Reference = tuple[float, float, list[float]]
"""Mean, standard deviation and first eight values in float64."""
Network = TypeVar("Network", bound=nn.Module)


def hashed(key: str) -> np.random.RandomState:
    """The numbers that belong to a name."""
    return np.random.RandomState(zlib.crc32(key.encode()) & 0xFFFFFFFF)


def normal(tag: str, *shape: int) -> Tensor:
    """A normal input by its tag."""
    return torch.from_numpy(hashed(f"input:{tag}").standard_normal(shape))


def uniform(tag: str, *shape: int) -> Tensor:
    """An input in [0, 1) by its tag."""
    return torch.from_numpy(hashed(f"input:{tag}").random_sample(shape))


def rule(key: str, shape: tuple[int, ...]) -> Tensor:
    """The tensor of a state dict by its published key."""
    noise = np.asarray(hashed(key).standard_normal(shape))
    if key.endswith("num_batches_tracked"):
        return torch.zeros((), dtype=torch.int64)
    if key.endswith("running_var"):
        return torch.from_numpy(1 + 0.1 * np.abs(noise))
    if noise.ndim >= 2:
        return torch.from_numpy(noise / np.sqrt(np.prod(shape[1:])))
    return torch.from_numpy(1 + 0.1 * noise if key.endswith("weight") else 0.1 * noise)


def ruled(model: Network, shapes: dict[str, tuple[int, ...]] | None = None) -> Network:
    """A network in float64 with the weights of the rule, under its own keys or under those of a published layout."""
    model = model.double().eval()
    found = shapes or {key: tuple(value.shape) for key, value in model.state_dict().items()}
    model.load_state_dict({key: rule(key, shape) for key, shape in found.items()}, strict=True)
    return model


def check(values: Tensor, reference: Reference) -> None:
    """Whether an output is the published one."""
    flat = values.detach().numpy().ravel()
    np.testing.assert_allclose([flat.mean(), flat.std()], reference[:2], rtol=1e-6)
    np.testing.assert_allclose(flat[:8], reference[2], rtol=1e-6, atol=1e-12)
