"""Motion models by the kind that a persona names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor

from lipwright.core.contracts import MotionModel
from lipwright.core.registry import Registry
from lipwright.motion import expressed, expression_model, window
from lipwright.motion.model import CascadeMotion
from lipwright.motion.networks import NETWORKS

MotionLoader = Callable[[Mapping[str, Tensor], Mapping[str, Any], str], MotionModel]
"""(tensors, description, where) to a model; the inverse of its `state`."""

MOTION_MODELS: Registry[MotionLoader] = Registry("motion model")
for _network in NETWORKS:
    MOTION_MODELS.add(_network, CascadeMotion.from_state)
MOTION_MODELS.add(window.KIND, window.SpeechWindow.from_state)
MOTION_MODELS.add(expression_model.KIND, expression_model.ExpressionMotion.from_state)
MOTION_MODELS.add(expressed.KIND, expressed.ExpressedLandmarks.from_state)
