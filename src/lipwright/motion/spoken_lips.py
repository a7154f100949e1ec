"""A person's lips as a few numbers, said by a landmark model: a renderer that hears speech is told how lips stand.

From visemes alone a picture is only known on average: every nuance of a vowel has the same window, and a network that
minimises an error draws their mean, which is blurred. The shape of the lips tells those pictures apart. In training it
is the one that was seen; at speaking time a landmark model says it from the same speech. The template takes no part:
shapes are those of the mean head. Ours, not the paper's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lipwright.core.contracts import F32, Conditions, MotionModel
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.engines.engine import Engine
from lipwright.engines.network import Network
from lipwright.motion.model import CascadeMotion

_MODEL = "model."
_LEAST = 1e-6
"""Of a component's deviation, so that a mouth that never moves gives zeros."""


@dataclass(frozen=True)
class LipShape:
    """Principal components of mouth and jaw without what the head does to them, of deviation 1 in training."""

    mean: F32
    """(58,)."""
    basis: F32
    """(58, n) to the components."""

    @classmethod
    def fit(cls, shapes: F32, count: int) -> LipShape:
        """The first `count` components of (T, 29, 2) shapes."""
        flat = shapes.reshape(len(shapes), -1).astype(np.float64)
        mean = flat.mean(0)
        _, size, ways = np.linalg.svd(flat - mean, full_matrices=False)
        if count > len(ways):
            raise ConfigError(f"{len(shapes)} frames have no {count} components of the lips; use fewer (lips)")
        deviation = np.maximum(size[:count] / np.sqrt(len(flat)), _LEAST)
        # Signs are arbitrary; the same ones on every machine.
        turn = np.sign(ways[:count][np.arange(count), np.abs(ways[:count]).argmax(1)])
        basis = np.ascontiguousarray(ways[:count].T * turn / deviation, np.float32)  # as it is when loaded: same sums
        return cls(mean.astype(np.float32), basis)

    def __call__(self, shapes: F32) -> F32:
        """(T, 29, 2) to (T, n)."""
        told: F32 = ((shapes.reshape(len(shapes), -1) - self.mean) @ self.basis).astype(np.float32)
        return told


@dataclass(frozen=True)
class SpokenLips:
    """What speech says of the lips: a landmark model on the mean head, and the components it is told in."""

    motion: CascadeMotion
    """Trained, with location and shape apart."""
    shape: LipShape
    model: MotionModel | None = None
    """In the place of `motion`, where its landmarks are changed (`motion.retarget`)."""

    @classmethod
    def fit(cls, motion: CascadeMotion, landmarks: F32, conditions: Conditions, count: int) -> SpokenLips:
        """From training frames: (T, 29, 2) normalised landmarks and the conditions they were seen in."""
        return cls(motion, LipShape.fit(motion.upright(landmarks, conditions), count))

    @property
    def count(self) -> int:
        """Numbers a frame."""
        return self.shape.basis.shape[1]

    @property
    def speaker(self) -> MotionModel:
        """Who says the landmarks."""
        return self.model or self.motion

    def said(self, features: Mapping[str, F32], count: int) -> F32:
        """(count, n) from the speech features of `count` frames."""
        if not count:
            return np.zeros((0, self.count), np.float32)
        held = self.motion.mean_conditions(count)
        return self.shape(self.motion.upright(self.speaker.predict(features, held), held))

    def seen(self, landmarks: F32, conditions: Conditions) -> F32:
        """(T, n) of landmarks as tracked, (T, 29, 2) normalised."""
        return self.shape(self.motion.upright(landmarks, conditions))

    def networks(self) -> list[Network]:
        """See `engines.engine.Engined`."""
        return self.motion.networks()

    def on(self, engine: Engine) -> SpokenLips:
        """See `engines.engine.Engined`."""
        return replace(self, motion=self.motion.on(engine))

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """(tensors, JSON-ready description) for a persona."""
        tensors, description = self.motion.state()
        found = {f"{_MODEL}{name}": tensor for name, tensor in tensors.items()}
        found |= {"mean": torch.from_numpy(self.shape.mean), "basis": torch.from_numpy(self.shape.basis)}
        return found, description

    @classmethod
    def from_state(cls, tensors: Mapping[str, Tensor], description: Mapping[str, Any], where: str) -> SpokenLips:
        """Back from `state`; CheckpointError when the parts do not fit."""
        own = {name.removeprefix(_MODEL): t for name, t in tensors.items() if name.startswith(_MODEL)}
        motion = CascadeMotion.from_state(own, description, where)
        try:
            shape = LipShape(tensors["mean"].numpy(), tensors["basis"].numpy())
        except KeyError as error:
            raise CheckpointError(f"{where} lacks {error}; copy the whole persona again or retrain") from error
        return cls(motion, shape)
