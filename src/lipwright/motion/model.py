"""The trained cascade as a `MotionModel`: speech features and template conditions to landmarks."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lipwright.core import checkpoint
from lipwright.core.clock import FPS
from lipwright.core.config import from_dict, to_dict
from lipwright.core.contracts import F32, Conditions, MotionInfo
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.engines.engine import Engine, Variants
from lipwright.engines.network import Network
from lipwright.motion.cascade import Cascade
from lipwright.motion.config import MotionConfig
from lipwright.motion.export import Elsewhere, cascade_network
from lipwright.motion.filters import radius
from lipwright.motion.geometry import rotate
from lipwright.motion.lips import gaps_of, lips_arrays, lips_from
from lipwright.motion.networks import NETWORKS, build, halo
from lipwright.motion.pca import MouthPca
from lipwright.motion.resting import resting_arrays, resting_from
from lipwright.motion.separate import separate_arrays, separate_from
from lipwright.motion.silence import FEATURE, PAUSES, REACH, silence_of
from lipwright.motion.statistics import Statistics, smooth_conditions
from lipwright.speech.features import SPEECH_FEATURES


class CascadeMotion:
    """Paper B's cascade, or another of `networks.NETWORKS`, with the statistics of its person.

    All that a persona needs to move.

    Chunks: an output frame depends on `info.halo` frames on either side. Give that much real context (silence
    and repeated conditions past the ends) and drop it from the result, then chunks equal the whole.
    """

    def __init__(self, config: MotionConfig, cascade: nn.Module, statistics: Statistics) -> None:
        self.config = config
        self.cascade = cascade.eval()
        self.statistics = statistics
        self._network: Callable[..., tuple[Any, Tensor]] = self.cascade
        smoothing = max(config.condition_smoothing_s, config.pose_smoothing_s) * float(FPS)
        resting = radius(statistics.resting.location.smoothing) if statistics.resting is not None else 0
        quick = statistics.separate.reach if statistics.separate is not None else 0
        heard_late = config.causal and not (config.kernel_share or config.lips or config.rests)
        self.info = MotionInfo(
            produces="landmarks",
            features=config.heard,
            halo=max(halo(config) + radius(smoothing) + quick, resting, REACH if config.rests else 0),
            lookahead_s=config.lookahead / float(FPS) if heard_late else None,
        )

    def networks(self) -> list[Network]:
        """See `engines.engine.Engined`; any number of frames from 16 on."""
        return [cascade_network(self.cascade)] if isinstance(self.cascade, Cascade) else []

    def on(self, engine: Engine) -> CascadeMotion:
        """See `engines.engine.Engined`."""
        other = copy.copy(self)
        if engine.name != "torch" and isinstance(self.cascade, Cascade):
            other._network = Elsewhere(self.cascade, Variants(engine))
        return other

    def predict(self, features: Mapping[str, F32], conditions: Conditions) -> F32:
        """(T, 29, 2) normalised MOUTH_JAW landmarks.

        Args:
            features: name -> (rate·T, dim) rows of `info.features`.
            conditions: pose (T, 3) and cheeks (T, 8, 2) of the template frames.
        """
        return self.predict_only(features, conditions, 0, len(conditions.pose_rad))

    def predict_only(self, features: Mapping[str, F32], conditions: Conditions, start: int, stop: int) -> F32:
        """See `core.contracts.Selective`."""
        n, only = len(conditions.pose_rad), slice(start, stop)
        self._check(features, conditions, n)
        if n == 0:
            return np.zeros((0, 29, 2), np.float32)
        held = smooth_conditions(conditions, self.config)
        pose, cheeks = self.statistics.conditions(held)
        rows = self.statistics.features({name: features[name] for name in self.config.features})
        device = next(self.cascade.parameters()).device
        with torch.inference_mode():
            inputs = {name: _batch(r).to(device) for name, r in rows.items()}
            _, flat = self._network(inputs, _batch(pose).to(device), _batch(cheeks).to(device))
        silence = silence_of(features[FEATURE], features[PAUSES]) if self.config.rests else None
        points = self.statistics.decode(flat[0].cpu().numpy(), rows, held, silence, only)
        if self.statistics.resting is not None and silence is not None:
            points = self.statistics.resting(points, conditions, silence)
        if self.statistics.lips is None:
            return points[only]
        return self.statistics.lips(points, held.pose_rad[:, 2], features[FEATURE], features[PAUSES][:, 1])[only]

    def upright(self, landmarks: F32, conditions: Conditions) -> F32:
        """(T, 29, 2) shape of landmarks seen in `conditions`, without what the head does to them.

        ConfigError for a model that does not tell them apart (`separate`).
        """
        if self.statistics.separate is None:
            raise ConfigError("this motion model tells no lips without their head; use the one of instant")
        return self.statistics.separate.shape(landmarks, smooth_conditions(conditions, self.config))

    def mean_conditions(self, count: int) -> Conditions:
        """The mean head of the training frames, `count` times."""
        s = self.statistics
        return Conditions(np.tile(s.pose_mean, (count, 1)), np.tile(s.cheek_mean.reshape(-1, 2), (count, 1, 1)))

    @property
    def opening(self) -> tuple[F32, float] | None:
        """How this person's lips part: (29, 2) points per unit of mean inner-lip gap with the head upright, and the gap
        of closed lips; None where it was not measured."""
        s = self.statistics
        if s.lips is not None:
            return s.lips.opening, float(s.lips.closed.mean())
        if s.separate is not None:
            return s.separate.opening.reshape(-1, 2), 0.0
        return None

    @property
    def knows_opening(self) -> bool:
        """See `motion.retarget.Widened`."""
        return self.opening is not None

    def widened(self, said: F32, conditions: Conditions, amplitude: float) -> F32:
        """See `motion.retarget.Widened`."""
        assert self.opening is not None
        direction, closed = self.opening
        roll = conditions.pose_rad[:, 2]
        upright = rotate(said, -roll)
        apart = np.maximum(gaps_of(upright).mean(axis=1) - closed, 0)
        grown = upright + (amplitude - 1) * apart[:, None, None] * direction
        return rotate(grown.astype(np.float32), roll)

    def _check(self, features: Mapping[str, F32], conditions: Conditions, n: int) -> None:
        if conditions.pose_rad.shape != (n, 3):
            raise ShapeError("pose_rad", ("T", 3), conditions.pose_rad.shape)
        if conditions.cheeks.shape != (n, 8, 2):
            raise ShapeError("cheeks", (n, 8, 2), conditions.cheeks.shape)
        for name in self.config.heard:
            if name not in features:
                raise ConfigError(
                    f"the model reads speech feature '{name}' and got {', '.join(features) or 'none'}; "
                    f"compute all of {', '.join(self.config.heard)}"
                )
            kind = SPEECH_FEATURES.get(name)
            if features[name].shape != (kind.rate * n, kind.dim):
                raise ShapeError(f"features['{name}']", (kind.rate * n, kind.dim), features[name].shape)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """(tensors, JSON-ready description); `from_state` rebuilds the same model from them, bit for bit."""
        tensors = {f"network.{k}": v.detach().cpu() for k, v in self.cascade.state_dict().items()}
        s = self.statistics
        arrays = {
            "pose_mean": s.pose_mean, "pose_std": s.pose_std, "cheek_mean": s.cheek_mean,
            "cheek_std": s.cheek_std, "origin": s.origin, "pca_mean": s.pca.mean, "pca_basis": s.pca.basis,
        }  # fmt: skip
        for name in s.feature_mean:
            arrays[f"feature_mean.{name}"] = s.feature_mean[name]
            arrays[f"feature_std.{name}"] = s.feature_std[name]
        if s.separate is not None:
            arrays |= separate_arrays(s.separate)
        if s.lips is not None:
            arrays |= lips_arrays(s.lips)
        if s.resting is not None:
            arrays |= resting_arrays(s.resting)
        tensors |= {f"statistics.{k}": torch.from_numpy(np.ascontiguousarray(v)) for k, v in arrays.items()}
        description = {
            "kind": self.config.network,
            "config": to_dict(self.config),
            "pca_explained": s.pca.explained,
        }
        return tensors, description

    @classmethod
    def from_state(
        cls, tensors: Mapping[str, Tensor], description: Mapping[str, Any], where: str = "motion model"
    ) -> CascadeMotion:
        """Rebuild from `state`; CheckpointError when the tensors belong to another model."""
        config = from_dict(MotionConfig, dict(description.get("config", {})))
        if config.network not in NETWORKS or description.get("kind") != config.network:
            raise CheckpointError(
                f"{where} describes a '{description.get('kind')}', expected one of {', '.join(NETWORKS)}; "
                "retrain the persona"
            )
        cascade = build(config)
        weights = {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
        checkpoint.load_into(cascade, weights, where)
        try:
            statistics = _statistics(tensors, config, float(description["pca_explained"]))
        except KeyError as error:
            raise CheckpointError(f"{where} lacks {error}; copy the whole persona again or retrain") from error
        return cls(config, cascade, statistics)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one safetensors file, atomically."""
        checkpoint.save_tensors(path, *self.state())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> CascadeMotion:
        """Read what `save` wrote; CheckpointError when missing, truncated or foreign."""
        tensors, description = checkpoint.load_tensors(path)
        return cls.from_state(tensors, description, str(path))


def _statistics(tensors: Mapping[str, Tensor], config: MotionConfig, explained: float) -> Statistics:
    def read(name: str) -> F32:
        array: F32 = tensors[f"statistics.{name}"].cpu().numpy()
        return array

    separate = separate_from(read, config) if config.separate else None
    return Statistics(
        {name: read(f"feature_mean.{name}") for name in config.features},
        {name: read(f"feature_std.{name}") for name in config.features},
        read("pose_mean"), read("pose_std"), read("cheek_mean"), read("cheek_std"), read("origin"),
        MouthPca(read("pca_mean"), read("pca_basis"), explained), separate,
        lips_from(read) if config.lips else None,
        resting_from(read) if "statistics.resting.shape" in tensors else None,
    )  # fmt: skip


def _batch(rows: F32) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32))[None]
