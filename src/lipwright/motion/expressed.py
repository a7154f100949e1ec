"""Landmarks that expressions tell: what `meta-talk` hears, for renderers that want landmarks.

A landmark motion has heard one voice for a minute. Speech to expression has heard others as well, and the person's own
fit tells where mouth and jaw lie with an expression: a linear map, found on the frames of the footage. Both are wrong
at different moments, so their mean is nearer to the truth than either (docs/results.md, "Comparison of meta-talk"):

    landmarks = (1 - s)·motion(speech) + s·(location(pose, cheeks) + Roll(pose)·[expression(speech), 1]·B)

The template takes part in the location alone. Ours, not a paper's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lipwright.core.contracts import F32, Conditions, MotionInfo
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.engines.engine import Engine
from lipwright.engines.network import Network
from lipwright.motion.expression_model import ExpressionMotion
from lipwright.motion.geometry import rotate
from lipwright.motion.model import CascadeMotion

KIND = "expressed-landmarks"
SHARE = 0.6
"""Of the expression in the mean."""
_RIDGE = 1e-2
"""Of a coefficient's variance."""
_PARTS = ("motion", "speaker")


@dataclass(frozen=True)
class ExpressedLandmarks:
    """A motion model: the mean of two that hear the same speech."""

    motion: CascadeMotion
    """Landmarks, location and shape apart."""
    speaker: ExpressionMotion
    """Expressions of the same person's face."""
    basis: F32
    """(E + 1, 58) upright shape per unit of each coefficient, and without any."""
    share: float = SHARE

    def __post_init__(self) -> None:
        if self.motion.statistics.separate is None:
            raise ConfigError("landmarks that expressions tell need a motion that parts location and shape (instant's)")

    @classmethod
    def fit(
        cls,
        motion: CascadeMotion,
        speaker: ExpressionMotion,
        expression: F32,
        landmarks: F32,
        conditions: Conditions,
        seen: NDArray[np.bool_],
    ) -> ExpressedLandmarks:
        """From T consecutive frames of the footage.

        Args:
            expression: (T, E) of the person's fit; landmarks: (T, 29, 2) normalised; conditions: of the same frames.
            seen: (T,) frames that show the face.
        """
        shapes = motion.upright(landmarks, conditions).reshape(len(landmarks), -1)[seen].astype(np.float64)
        told = _with_one(expression[seen].astype(np.float64))
        penalty = np.append(_RIDGE * told[:, :-1].var(0), 0) * len(told)
        basis = np.linalg.solve(told.T @ told + np.diag(np.maximum(penalty, 1e-12)), told.T @ shapes)
        return cls(motion, speaker, basis.astype(np.float32))

    @property
    def info(self) -> MotionInfo:
        """The landmark motion's own, with what the expression hears."""
        own, more = self.motion.info, self.speaker.info
        heard = tuple(dict.fromkeys((*own.features, *more.features)))
        return replace(own, features=heard, halo=max(own.halo, more.halo), lookahead_s=None)

    def networks(self) -> list[Network]:
        """See `engines.engine.Engined`."""
        return self.motion.networks()

    def on(self, engine: Engine) -> ExpressedLandmarks:
        """See `engines.engine.Engined`."""
        return replace(self, motion=self.motion.on(engine))

    def predict(self, features: Mapping[str, F32], conditions: Conditions) -> F32:
        """(T, 29, 2) normalised MOUTH_JAW landmarks; see `CascadeMotion.predict`."""
        return self.predict_only(features, conditions, 0, len(conditions.pose_rad))

    def predict_only(self, features: Mapping[str, F32], conditions: Conditions, start: int, stop: int) -> F32:
        """See `core.contracts.Selective`."""
        own = self.motion.predict_only(features, conditions, start, stop)
        if not len(own):
            return own
        told = self.speaker.predict_only(features, conditions, start, stop)
        separate = self.motion.statistics.separate
        assert separate is not None
        shape = (_with_one(told) @ self.basis).reshape(own.shape).astype(np.float32)
        placed = separate.location(conditions)[start:stop].reshape(own.shape)
        expressed = rotate(shape, conditions.pose_rad[start:stop, 2]) + placed
        return (own + np.float32(self.share) * (expressed - own)).astype(np.float32)

    @property
    def knows_opening(self) -> bool:
        """See `motion.retarget.Widened`."""
        return self.motion.knows_opening

    def widened(self, said: F32, conditions: Conditions, amplitude: float) -> F32:
        """See `motion.retarget.Widened`."""
        return self.motion.widened(said, conditions, amplitude)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """(tensors, JSON-ready description); `from_state` rebuilds the same model, bit for bit."""
        tensors = {"basis": torch.from_numpy(self.basis), "share": torch.tensor(self.share, dtype=torch.float64)}
        description: dict[str, Any] = {"kind": KIND}
        for part in _PARTS:
            found, description[part] = getattr(self, part).state()
            tensors |= {f"{part}.{name}": tensor for name, tensor in found.items()}
        return tensors, description

    @classmethod
    def from_state(
        cls, tensors: Mapping[str, Tensor], description: Mapping[str, Any], where: str = "motion model"
    ) -> ExpressedLandmarks:
        """Back from `state`; CheckpointError when the parts do not fit."""

        def of(part: str) -> tuple[dict[str, Tensor], dict[str, Any], str]:
            own = {k.removeprefix(f"{part}."): v for k, v in tensors.items() if k.startswith(f"{part}.")}
            return own, dict(description.get(part, {})), where

        try:
            basis, share = tensors["basis"].numpy(), float(tensors["share"])
        except KeyError as error:
            raise CheckpointError(f"{where} lacks {error}; copy the whole persona again or retrain") from error
        return cls(CascadeMotion.from_state(*of("motion")), ExpressionMotion.from_state(*of("speaker")), basis, share)


def _with_one(coefficients: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.column_stack([coefficients, np.ones(len(coefficients), coefficients.dtype)])
