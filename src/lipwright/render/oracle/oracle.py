"""A trained oracle: keypoints and outline in, a photograph of the head and of its mouth out."""

from __future__ import annotations

import copy
import hashlib
import os
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from lipwright.core.checkpoint import load_into, load_tensors, save_tensors
from lipwright.core.config import from_dict, to_dict
from lipwright.core.contracts import F32, U8
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.face.align import apply
from lipwright.render.head import HeadGeometry
from lipwright.render.oracle.config import OracleConfig
from lipwright.render.oracle.drawing import DRAWING_CHANNELS, head_drawing, mouth_drawing
from lipwright.render.oracle.outpaint import INPUT_CHANNELS, Outpainting
from lipwright.render.translation.networks import build_generator
from lipwright.render.translation.precision import has_bf16

PREFIX = "network."
"""Of the networks' names in a file that also holds the geometry."""


class Oracle:
    """The mouth network, and the head network that outpaints around its picture.

    Args:
        config: as trained; 'chain' or 'single'.
        networks: `mouth` ('chain' alone) and `head`, as trained.
        geometry: of the person.
    """

    def __init__(
        self, config: OracleConfig, networks: dict[str, nn.Module], geometry: HeadGeometry, device: str = "cpu"
    ) -> None:
        if geometry.size != config.size:
            raise ConfigError(
                f"the geometry was fitted for {geometry.size} px heads, the oracle draws {config.size}; train it again"
            )
        self.config, self.geometry, self.device = config, geometry, torch.device(device)
        self.mouth_size = geometry.native(config.mouth.size)
        self._kept = networks
        self._types = {}
        self._networks = {}
        for name, network in networks.items():
            half = getattr(config, name).bf16 and has_bf16(self.device)
            self._types[name] = torch.bfloat16 if half else torch.float32
            self._networks[name] = copy.deepcopy(network).to(self.device, self._types[name]).eval()
        self._outpainting = Outpainting(geometry.mouth_square, config.size, self.device)

    def generate(self, landmarks: F32, outlines: F32) -> tuple[U8, U8]:
        """Heads (B, S, S, 3) and their mouth squares at the same size (B, S, S, 3).

        Args: landmarks (B, 68, 2) and outlines (B, R, 2) in head-crop pixels; the mouth is drawn where they say.
        """
        heads, mouths = self.pictures(landmarks, outlines)
        return heads, np.stack([enlarged(mouth, self.config.size) for mouth in mouths])

    @torch.inference_mode()
    def pictures(self, landmarks: F32, outlines: F32) -> tuple[U8, U8]:
        """As `generate`, mouths (B, M, M, 3) at the size they are drawn at: what the footage shows."""
        c = self.config
        drawings = [head_drawing(p, o, c.size, c.soft) for p, o in zip(landmarks, outlines, strict=True)]
        drawing = torch.from_numpy(np.stack(drawings)).to(self.device)
        if c.kind == "single":
            heads = rgb8(self._run("head", drawing))
            x, y, side = self.geometry.mouth_square
            squares = [enlarged(head[y : y + side, x : x + side], self.mouth_size) for head in heads]
            return heads, np.stack(squares)
        near = apply(self.geometry.mouth_from_head(self.mouth_size), landmarks)
        lines = torch.from_numpy(np.stack([mouth_drawing(p, self.mouth_size, c.soft) for p in near])).to(self.device)
        mouth = self._run("mouth", lines)
        given = self._outpainting.given(mouth)
        raw = self._run("head", torch.cat([drawing, given], 1))
        return rgb8(self._outpainting.joined(given, raw)), rgb8(mouth)

    def _run(self, name: str, inputs: Tensor) -> Tensor:
        drawn: Tensor = self._networks[name](inputs.to(self._types[name])).float()
        return drawn

    def fingerprint(self) -> str:
        """Short hash of all weights: names what was drawn with them."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self.state()[0].items()):
            digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """(tensors, config) for core.checkpoint.save_tensors."""
        weights = {
            f"{PREFIX}{name}.{k}": v for name, network in self._kept.items() for k, v in network.state_dict().items()
        }
        return {**weights, **self.geometry.state()}, to_dict(self.config)

    @classmethod
    def from_state(
        cls, tensors: dict[str, Tensor], config: dict[str, Any], device: str = "cpu", where: str = "the oracle"
    ) -> Oracle:
        """Back from `state`; CheckpointError or ConfigError when the parts do not fit."""
        if not {"mouth", "head", "kind"} <= set(config):
            raise CheckpointError(f"{where} is not an oracle; train it again with virtual-human")
        settings = from_dict(OracleConfig, config)
        networks = oracle_networks(settings)
        for name, network in networks.items():
            prefix = f"{PREFIX}{name}."
            weights = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            load_into(network, weights, where)
        return cls(settings, networks, HeadGeometry.from_state(tensors), device)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one safetensors file, atomically."""
        save_tensors(path, *self.state())

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: str = "cpu") -> Oracle:
        """Read what `save` wrote; CheckpointError when it is missing, damaged or of another model."""
        return cls.from_state(*load_tensors(path), device, str(path))


def oracle_networks(config: OracleConfig) -> dict[str, nn.Module]:
    """The networks of this kind of oracle, from torch's current random state."""
    if config.kind == "memory":
        raise ConfigError("the memory as oracle has no networks; use render.oracle.memory")
    if config.kind == "single":
        return {"head": build_generator(config.head, DRAWING_CHANNELS)}
    return {
        "mouth": build_generator(config.mouth, DRAWING_CHANNELS),
        "head": build_generator(config.head, INPUT_CHANNELS),
    }


def rgb8(pictures: Tensor) -> U8:
    """(B, 3, H, W) in [-1, 1] to (B, H, W, 3) uint8."""
    scaled = ((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).cpu().numpy())


def enlarged(picture: U8, size: int) -> U8:
    """A square picture at another size: Lanczos up, area down."""
    if len(picture) == size:
        return picture
    way = cv2.INTER_LANCZOS4 if len(picture) < size else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, (size, size), interpolation=way), np.uint8)
