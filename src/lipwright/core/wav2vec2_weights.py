"""wav2vec 2.0's published weights (Baevski et al. 2020) as Hugging Face folders hold them, read without running code.

A folder has config.json beside model.safetensors or pytorch_model.bin, from pre-training or fine-tuned. What lies
around the encoder (quantiser, heads, mask) is left out and the weight norm of the positional convolution, in either
style of key, is multiplied out once. Both published layouts are covered: base (768 wide, group norm after the first
convolution, post-norm) and large (1024, layer norm after every convolution, pre-norm), and sizes between them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.core import checkpoint
from lipwright.core.config import from_dict, to_dict
from lipwright.core.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

KERNELS, STRIDES = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)
"""Of the seven convolutions over samples: one row every 320 samples, each over 400."""
POSITIONS = "encoder.pos_conv_embed.conv"
_FILES = ("model.safetensors", "pytorch_model.bin")
_NORM_KEYS = (("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1"))
_WANTED = "give a Hugging Face folder of wav2vec 2.0 with its config.json"


@dataclass(frozen=True)
class Wav2Vec2Config:
    """What tells one wav2vec 2.0 from another; names and defaults are those of config.json (the base model)."""

    hidden_size: int = 768
    """Channels of a row."""
    num_hidden_layers: int = 12
    """Transformer layers."""
    num_attention_heads: int = 12
    """Heads of each."""
    intermediate_size: int = 3072
    """Channels inside each feed-forward part."""
    conv_dim: tuple[int, ...] = (512,) * 7
    """Channels of the seven convolutions over samples."""
    conv_bias: bool = False
    """Whether those have biases."""
    feat_extract_norm: str = "group"
    """'group': the first convolution is normalised over time; 'layer': every one over channels."""
    do_stable_layer_norm: bool = False
    """Norm before each part of a layer (large) instead of after it (base)."""
    num_conv_pos_embeddings: int = 128
    """Rows that the positional convolution sees."""
    num_conv_pos_embedding_groups: int = 16
    """Its groups."""
    layer_norm_eps: float = 1e-5
    """Added to variances in the transformer."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each tensor of the encoder by its published name, the positional weight multiplied out."""
        wide, deep = self.hidden_size, self.intermediate_size
        found: dict[str, tuple[int, ...]] = {}
        for k, (channels, kernel) in enumerate(zip(self.conv_dim, KERNELS, strict=True)):
            name = f"feature_extractor.conv_layers.{k}"
            found[f"{name}.conv.weight"] = (channels, self.conv_dim[k - 1] if k else 1, kernel)
            if self.conv_bias:
                found[f"{name}.conv.bias"] = (channels,)
            if k == 0 or self.feat_extract_norm == "layer":
                found |= _pair(f"{name}.layer_norm", channels)
        found |= _pair("feature_projection.layer_norm", self.conv_dim[-1])
        found |= _pair("feature_projection.projection", wide, self.conv_dim[-1])
        grouped = wide // self.num_conv_pos_embedding_groups
        found |= _pair(POSITIONS, wide, grouped, self.num_conv_pos_embeddings)
        found |= _pair("encoder.layer_norm", wide)
        for k in range(self.num_hidden_layers):
            name = f"encoder.layers.{k}"
            for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                found |= _pair(f"{name}.attention.{part}", wide, wide)
            found |= _pair(f"{name}.layer_norm", wide) | _pair(f"{name}.final_layer_norm", wide)
            found |= _pair(f"{name}.feed_forward.intermediate_dense", deep, wide)
            found |= _pair(f"{name}.feed_forward.output_dense", wide, deep)
        return found


def _pair(name: str, *shape: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def read_config(folder: Path) -> Wav2Vec2Config:
    """What config.json says; CheckpointError when it is absent or describes a network that is not covered."""
    path = folder / "config.json"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(said, dict):
            raise ValueError("it is no table")
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); {_WANTED}") from error
    _check_kind(path, said)
    names = Wav2Vec2Config.__dataclass_fields__
    try:
        config = from_dict(Wav2Vec2Config, {name: said[name] for name in names if name in said})
        fits = (
            len(config.conv_dim) == len(KERNELS)
            and config.feat_extract_norm in ("group", "layer")
            and config.hidden_size % config.num_attention_heads == 0
            and config.hidden_size % config.num_conv_pos_embedding_groups == 0
        )
    except (TypeError, ValueError, ArithmeticError) as error:
        raise CheckpointError(f"{path} describes no wav2vec 2.0 ({error}); {_WANTED}") from error
    if not fits:
        raise CheckpointError(f"{path} describes no wav2vec 2.0: its widths do not fit each other; {_WANTED}")
    return config


def _check_kind(path: Path, said: dict[str, Any]) -> None:
    wanted: tuple[tuple[str, Any], ...] = (
        *(("model_type", "wav2vec2"), ("conv_kernel", list(KERNELS)), ("conv_stride", list(STRIDES))),
        *(("feat_extract_activation", "gelu"), ("hidden_act", "gelu"), ("adapter_attn_dim", None)),
    )
    for name, value in wanted:
        if said.get(name, value) != value:
            raise CheckpointError(f"{path}: {name} is {said[name]!r}, only {value!r} can be used; {_WANTED}")


def read(folder: Path) -> tuple[Wav2Vec2Config, dict[str, Tensor]]:
    """The encoder's config and float32 tensors of a Hugging Face folder, by name and shape as `shapes` lists them.

    CheckpointError when a file is absent or unreadable, and when a tensor is missing, misshapen or not finite.
    """
    import torch

    config = read_config(folder)
    path = next((folder / name for name in _FILES if (folder / name).is_file()), None)
    if path is None:
        raise CheckpointError(f"{folder} holds neither {' nor '.join(_FILES)}; {_WANTED}")
    held = checkpoint.read_state(path)
    inner = "wav2vec2."  # models with a head keep the encoder under this name
    if any(name.startswith(inner) for name in held):
        held = {name.removeprefix(inner): tensor for name, tensor in held.items() if name.startswith(inner)}
    for gain, direction in (tuple(f"{POSITIONS}.{name}" for name in names) for names in _NORM_KEYS):
        if gain in held and direction in held:
            held[f"{POSITIONS}.weight"] = _multiplied(held[gain].float(), held[direction].float())
    state = {}
    for name, shape in config.shapes().items():
        got = tuple(held[name].shape) if name in held else "nothing"
        if got != shape:
            raise CheckpointError(f"{path}: expected {name} of shape {shape}, got {got}; {_WANTED}")
        state[name] = held[name].float().contiguous()
        if not torch.isfinite(state[name]).all():
            raise CheckpointError(f"{path}: {name} holds values that are not finite; {_WANTED}")
    return config, state


def _multiplied(gain: Tensor, direction: Tensor) -> Tensor:
    """(C, G, K) weight from its (1, 1, K) lengths and (C, G, K) directions: one length per tap (weight norm)."""
    return direction * (gain / direction.norm(dim=(0, 1), keepdim=True))


def check(folder: Path) -> None:
    """CheckpointError when the folder holds no wav2vec 2.0 that can be used."""
    read(folder)


def convert(folder: Path, target: Path) -> None:
    """Write the encoder of a Hugging Face folder to `target`: safetensors with its config."""
    config, state = read(folder)
    checkpoint.save_tensors(target, state, to_dict(config))


def load(path: Path) -> tuple[Wav2Vec2Config, dict[str, Tensor]]:
    """Config and tensors of a file that `convert` wrote."""
    state, config = checkpoint.load_tensors(path)
    return from_dict(Wav2Vec2Config, config), state


def load_config(path: Path) -> Wav2Vec2Config:
    """The config alone, from the head of the file."""
    return from_dict(Wav2Vec2Config, checkpoint.load_config(path))
