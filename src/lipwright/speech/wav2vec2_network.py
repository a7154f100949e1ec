"""The encoder of wav2vec 2.0: samples to one row of speech features every 20 ms.

Source: Baevski, Zhou, Mohamed, Auli, "wav2vec 2.0", NeurIPS 2020, sections 2 and 4.2. Modules bear the names of the
published weights. torch alone: the features are the last layer's rows, so nothing of training, masking or
quantising is needed.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.core.wav2vec2_weights import KERNELS, STRIDES, Wav2Vec2Config


class _Convolution(nn.Module):
    """One of the seven convolutions over samples."""

    def __init__(self, config: Wav2Vec2Config, k: int) -> None:
        super().__init__()
        before, channels = config.conv_dim[k - 1] if k else 1, config.conv_dim[k]
        self.conv = nn.Conv1d(before, channels, KERNELS[k], STRIDES[k], bias=config.conv_bias)
        self.over_channels = config.feat_extract_norm == "layer"
        if self.over_channels:
            self.layer_norm: nn.Module = nn.LayerNorm(channels)
        else:  # the published name is layer_norm in both cases; over time, and only after the first
            self.layer_norm = nn.GroupNorm(channels, channels) if k == 0 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = self.layer_norm(x.transpose(1, 2)).transpose(1, 2) if self.over_channels else self.layer_norm(x)
        return F.gelu(x)


class _Attention(nn.Module):
    """Self-attention over all rows."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        wide = config.hidden_size
        self.heads = config.num_attention_heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(wide, wide) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        def heads(part: nn.Module) -> Tensor:
            split: Tensor = part(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            return split

        seen = F.scaled_dot_product_attention(heads(self.q_proj), heads(self.k_proj), heads(self.v_proj))
        out: Tensor = self.out_proj(seen.transpose(1, 2).flatten(2))
        return out


class _FeedForward(nn.Module):
    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.intermediate_dense = nn.Linear(config.hidden_size, config.intermediate_size)
        self.output_dense = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.output_dense(F.gelu(self.intermediate_dense(x)))
        return out


class _Layer(nn.Module):
    """A transformer layer: norms after its parts (base), or before them ("stable", large)."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.first = config.do_stable_layer_norm
        self.attention = _Attention(config)
        self.layer_norm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.feed_forward = _FeedForward(config)
        self.final_layer_norm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)

    def forward(self, x: Tensor) -> Tensor:
        if self.first:
            x = x + self.attention(self.layer_norm(x))
            return x + self.feed_forward(self.final_layer_norm(x))
        x = self.layer_norm(x + self.attention(x))
        out: Tensor = self.final_layer_norm(x + self.feed_forward(x))
        return out


class _Encoder(nn.Module):
    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        wide, taps = config.hidden_size, config.num_conv_pos_embeddings
        self.stable = config.do_stable_layer_norm
        groups = config.num_conv_pos_embedding_groups
        self.pos_conv_embed = nn.ModuleDict({"conv": nn.Conv1d(wide, wide, taps, padding=taps // 2, groups=groups)})
        self.layer_norm = nn.LayerNorm(wide, config.layer_norm_eps)
        self.layers = nn.Sequential(*(_Layer(config) for _ in range(config.num_hidden_layers)))

    def forward(self, x: Tensor) -> Tensor:
        place = self.pos_conv_embed["conv"](x.transpose(1, 2))[..., : x.shape[1]]  # an even kernel gives one too many
        x = x + F.gelu(place).transpose(1, 2)
        if not self.stable:
            x = self.layer_norm(x)
        x = self.layers(x)
        out: Tensor = self.layer_norm(x) if self.stable else x
        return out


class _Projection(nn.Module):
    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(config.conv_dim[-1], config.layer_norm_eps)
        self.projection = nn.Linear(config.conv_dim[-1], config.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.projection(self.layer_norm(x))
        return out


class Wav2Vec2Network(nn.Module):
    """Samples to the last layer's rows."""

    def __init__(self, config: Wav2Vec2Config) -> None:
        super().__init__()
        layers = nn.Sequential(*(_Convolution(config, k) for k in range(len(KERNELS))))
        self.feature_extractor = nn.ModuleDict({"conv_layers": layers})
        self.feature_projection = _Projection(config)
        self.encoder = _Encoder(config)

    def forward(self, samples: Tensor) -> Tensor:
        """(B, S) samples of zero mean and unit variance to (B, floor((S - 400) / 320) + 1, hidden_size) rows."""
        x = self.feature_extractor["conv_layers"](samples[:, None])
        out: Tensor = self.encoder(self.feature_projection(x.transpose(1, 2)))
        return out
