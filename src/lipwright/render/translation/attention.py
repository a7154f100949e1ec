"""Self-attention over the places of a feature map (Zhang et al. 2019, SAGAN, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SelfAttention(nn.Module):
    """x + gamma · attention(x), with gamma 0 at the start: an untrained block is the identity.

    Args:
        channels: C of the input; queries and keys have max(1, C // 8).
        pool: side of the max-pooling of keys and values (2: a quarter of the tokens are attended to).
    Source: SAGAN equations 1 to 3; scores are not divided by the root of their width, as there.
    We differ: values keep all C channels, and `pool` (memory at 90 x 90 tokens).
    """

    def __init__(self, channels: int, pool: int = 1) -> None:
        super().__init__()
        self.query_conv = nn.Conv2d(channels, max(1, channels // 8), 1)
        self.key_conv = nn.Conv2d(channels, max(1, channels // 8), 1)
        self.value_conv = nn.Conv2d(channels, channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        source = F.max_pool2d(x, self.pool, ceil_mode=True) if self.pool > 1 else x
        query, key, value = (
            convolve(of).flatten(2).transpose(1, 2)[:, None]
            for convolve, of in ((self.query_conv, x), (self.key_conv, source), (self.value_conv, source))
        )
        attended = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        return x + self.gamma * attended[:, 0].transpose(1, 2).reshape(x.shape)
