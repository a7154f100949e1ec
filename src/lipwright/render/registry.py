"""Renderers by the kind that a persona names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from lipwright.core.contracts import Renderer
from lipwright.core.registry import Registry

RendererLoader = Callable[[Mapping[str, Tensor], Mapping[str, Any], str], Renderer]
"""(tensors, config, device) to a renderer; the inverse of its `state`."""

RENDERERS: Registry[RendererLoader] = Registry("renderer")


def _memory(tensors: Mapping[str, Tensor], config: Mapping[str, Any], device: str) -> Renderer:
    from lipwright.render.memory.renderer import MemoryRenderer

    return MemoryRenderer.from_state({k: v.numpy() for k, v in tensors.items()}, dict(config))


def _translation(tensors: Mapping[str, Tensor], config: Mapping[str, Any], device: str) -> Renderer:
    from lipwright.render.translation.renderer import TranslationRenderer

    return TranslationRenderer.from_state(dict(tensors), dict(config), device)


def _crossmodal(tensors: Mapping[str, Tensor], config: Mapping[str, Any], device: str) -> Renderer:
    from lipwright.render.crossmodal.renderer import CrossModalRenderer

    return CrossModalRenderer.from_state(dict(tensors), dict(config), device)


def _neural_face(tensors: Mapping[str, Tensor], config: Mapping[str, Any], device: str) -> Renderer:
    from lipwright.render.neural_face.renderer import NeuralFaceRenderer

    return NeuralFaceRenderer.from_state(dict(tensors), dict(config), device)


RENDERERS.add("memory", _memory)
RENDERERS.add("translation", _translation)
RENDERERS.add("crossmodal", _crossmodal)
RENDERERS.add("neural-face", _neural_face)
