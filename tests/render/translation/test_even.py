from __future__ import annotations

import torch
from torch import nn

from lipwright.render.translation.layers import EvenTranspose2d


def layer(kind: type[nn.ConvTranspose2d]) -> nn.ConvTranspose2d:
    torch.manual_seed(0)
    return kind(4, 2, 3, stride=2, padding=1, output_padding=1)


def chequer(picture: torch.Tensor) -> float:
    """Size of the pattern that alternates from pixel to pixel, away from the borders."""
    inner = picture[..., 2:-2, 2:-2]
    sign = torch.ones_like(inner)
    sign[..., ::2] *= -1
    return float((inner * sign).mean(dim=(-1, -2)).abs().max())


def test_a_flat_input_gives_a_flat_output() -> None:
    flat = torch.ones(1, 4, 10, 10)
    with torch.inference_mode():
        plain, even = layer(nn.ConvTranspose2d)(flat), layer(EvenTranspose2d)(flat)
    assert chequer(plain) > 0.01, "the plain layer chequers"
    assert chequer(even) < 1e-6
    assert even.shape == plain.shape


def test_weights_are_those_of_the_plain_layer() -> None:
    plain, even = layer(nn.ConvTranspose2d), layer(EvenTranspose2d)
    even.load_state_dict(plain.state_dict())
    assert list(even.state_dict()) == ["weight", "bias"]
