"""Motion models by the kind that a persona names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from lipwright.core.contracts import MotionModel
from lipwright.core.registry import Registry
from lipwright.motion import model, window

MotionLoader = Callable[[Mapping[str, Tensor], Mapping[str, Any], str], MotionModel]
"""(tensors, description, where) to a model; the inverse of its `state`."""

MOTION_MODELS: Registry[MotionLoader] = Registry("motion model")
MOTION_MODELS.add(model.KIND, model.CascadeMotion.from_state)
MOTION_MODELS.add(window.KIND, window.SpeechWindow.from_state)
