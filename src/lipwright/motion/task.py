"""Training of a cascade, one step at a time: what the shared training loop drives."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor, nn

from lipwright.core.contracts import F32
from lipwright.motion.batches import Batches
from lipwright.motion.cascade import Cascade
from lipwright.motion.config import MotionConfig
from lipwright.motion.data import MotionClip, MotionData
from lipwright.motion.losses import cascade_loss
from lipwright.motion.model import CascadeMotion
from lipwright.motion.scores import score
from lipwright.motion.statistics import UNIT, Statistics

_LAST_RATE = 1e-5


class MotionTask:
    """A cascade being trained. Every step depends on (seed, step index) and the modules alone."""

    def __init__(
        self, config: MotionConfig, data: MotionData, seed: int = 0, device: str | torch.device = "cpu"
    ) -> None:
        self.config, self.data, self._seed = config, data, seed
        self._device = torch.device(device)
        self.statistics = Statistics.measure(data.train, config)
        self._batches = Batches(data.train, self.statistics, config, seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.cascade = Cascade(config.cascade()).to(self._device)
        self._mean: Cascade | None = copy.deepcopy(self.cascade) if config.ema > 0 else None
        self._optimiser = torch.optim.AdamW(
            self.cascade.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )

    def modules(self) -> dict[str, nn.Module]:
        """What a checkpoint must hold."""
        found: dict[str, nn.Module] = {"cascade": self.cascade}
        if self._mean is not None:
            found["cascade_mean"] = self._mean
        return found

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Whose state a checkpoint must hold."""
        return {"cascade": self._optimiser}

    def steps_per_epoch(self) -> int:
        """Steps that see the footage once."""
        return max(math.ceil(self._batches.clips_per_epoch / self.config.batch), 1)

    def budget_fraction(self, fraction: float) -> None:
        """Tell how much of the budget is spent, 0 to 1: the learning rate falls along a cosine."""
        share = 0.5 * (1 + math.cos(math.pi * min(max(fraction, 0.0), 1.0)))
        for group in self._optimiser.param_groups:
            group["lr"] = _LAST_RATE + (self.config.learning_rate - _LAST_RATE) * share

    def step(self, step_index: int) -> dict[str, float]:
        """One optimisation step; returns the losses of equations 1 to 4 in normalised units."""
        batch = self._batches.draw(step_index)
        self.cascade.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed * 1_000_003 + step_index)
            features = {name: self._tensor(rows) for name, rows in batch.features.items()}
            mouth, flat = self.cascade(features, self._tensor(batch.pose), self._tensor(batch.cheeks))
        weight = self._tensor(batch.weight)[..., None]
        inner = slice(self.config.context_frames, self.config.context_frames + self.config.clip_frames)
        losses = cascade_loss(
            *((x * weight)[:, inner] for x in (self._tensor(batch.mouth), mouth, self._tensor(batch.landmarks), flat))
        )
        self._optimiser.zero_grad(set_to_none=True)
        losses.total.backward()
        self._optimiser.step()
        self._average(step_index)
        parts = {"pca": losses.pca, "landmarks": losses.landmarks, "velocity": losses.velocity}
        return {"loss": float(losses.total.detach()) / UNIT**2} | {
            name: float(value.detach()) / UNIT**2 for name, value in parts.items()
        }

    def model(self) -> CascadeMotion:
        """The model as it stands, on the CPU, independent of further training."""
        source = self.cascade if self._mean is None else self._mean
        trained = copy.deepcopy(source).cpu()
        return CascadeMotion(self.config, trained, self.statistics)

    def validate(self) -> dict[str, float]:
        """Scores on the validation stretches (of training when there are none); lower `score` is better.

        Distances are in pixels of the footage; ratios are against the mean mouth.
        """
        model = self.model()
        clips = self.data.validation or self.data.train
        parts = [self._scores(model, clip) for clip in clips]
        sizes = np.array([len(c) for c in clips], float)
        found = {key: float(np.average([p[key] for p in parts], weights=sizes)) for key in parts[0]}
        found["score"] = (found["lmd_ratio"] + found["lmd_centred_ratio"] + 1 - found["aperture_correlation"]) / 3
        return found

    def mean_landmarks(self) -> F32:
        """(29, 2) mean of the training frames: the mean mouth baseline."""
        total = np.concatenate([c.landmarks[c.weight > 0] for c in self.data.train])
        mean: F32 = total.mean(axis=0)
        return mean

    def _scores(self, model: CascadeMotion, clip: MotionClip) -> dict[str, float]:
        seen = clip.weight > 0
        predicted = model.predict(clip.features, clip.conditions)
        scale = np.float32(clip.scale_px)
        return score(predicted[seen] * scale, clip.landmarks[seen] * scale, self.mean_landmarks() * scale)

    def _average(self, step_index: int) -> None:
        if self._mean is None:
            return
        decay = min(self.config.ema, (1 + step_index) / (10 + step_index))
        with torch.no_grad():
            for kept, new in zip(self._mean.parameters(), self.cascade.parameters(), strict=True):
                kept.lerp_(new, 1 - decay)

    def _tensor(self, rows: F32) -> Tensor:
        return torch.from_numpy(rows).to(self._device)
