"""Training of a motion model, one step at a time: what the shared training loop drives."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import Tensor, nn

from lipwright.core.contracts import F32
from lipwright.motion.batches import Batches
from lipwright.motion.config import MotionConfig
from lipwright.motion.data import MotionClip, MotionData
from lipwright.motion.judge import Judge
from lipwright.motion.losses import cascade_loss, squared_error
from lipwright.motion.model import CascadeMotion
from lipwright.motion.mouth import MouthOnly
from lipwright.motion.networks import build
from lipwright.motion.scores import score
from lipwright.motion.statistics import UNIT, Statistics, smooth_conditions

_LAST_RATE = 1e-5


class MotionTask:
    """Networks of any kind being trained. Every step depends on (seed, step index) and the modules alone.

    `cascade` are the networks that `config.network` names. Those of the mouth alone learn its components, with system
    A's discriminator where `config.adversarial` asks for it; the cascade learns equation 4.
    """

    def __init__(
        self, config: MotionConfig, data: MotionData, seed: int = 0, device: str | torch.device = "cpu"
    ) -> None:
        self.config, self.data, self._seed = config, data, seed
        self._device = torch.device(device)
        self.statistics = Statistics.measure(data.train, config)
        self._batches = Batches(data.train, self.statistics, config, seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.cascade = build(config)
            if isinstance(self.cascade, MouthOnly):
                self.cascade.measure(*self._encoded(), self.statistics.pca.basis)
            self.cascade = self.cascade.to(self._device)
            self._judge = Judge(config.cascade(), config.shifted, self._device) if config.adversarial else None
        self._spent = 0.0
        self._mean: nn.Module | None = copy.deepcopy(self.cascade) if config.ema > 0 else None
        self._optimiser = torch.optim.AdamW(
            self.cascade.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )

    def modules(self) -> dict[str, nn.Module]:
        """What a checkpoint must hold."""
        found: dict[str, nn.Module] = {"cascade": self.cascade}
        if self._mean is not None:
            found["cascade_mean"] = self._mean
        if self._judge is not None:
            found["judge"] = self._judge.network
        return found

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Whose state a checkpoint must hold."""
        found: dict[str, torch.optim.Optimizer] = {"cascade": self._optimiser}
        if self._judge is not None:
            found["judge"] = self._judge.optimiser
        return found

    @property
    def kept(self) -> list[str]:
        """Modules that are its result."""
        return [name for name in self.modules() if name != "judge"]

    def steps_per_epoch(self) -> int:
        """Steps that see the footage once."""
        return max(math.ceil(self._batches.clips_per_epoch / self.config.batch), 1)

    def budget_fraction(self, fraction: float) -> None:
        """Tell how much of the budget is spent, 0 to 1: the learning rate falls along a cosine."""
        self._spent = fraction
        share = 0.5 * (1 + math.cos(math.pi * min(max(fraction, 0.0), 1.0)))
        for group in self._optimiser.param_groups:
            group["lr"] = _LAST_RATE + (self.config.learning_rate - _LAST_RATE) * share

    @property
    def complete(self) -> bool:
        """Whether the discriminator, if there is one, takes part by now."""
        return self._judge is None or self._spent >= self.config.alone

    def step(self, step_index: int) -> dict[str, float]:
        """One optimisation step; returns its losses in normalised units (equations 1 to 4 for a cascade)."""
        batch, around = self._batches.draw(step_index), self.config.context_frames
        self.cascade.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed * 1_000_003 + step_index)
            features = self._tensors(batch.features)
            mouth, flat = self.cascade(features, self._tensor(batch.pose), self._tensor(batch.cheeks), around)
            inner = slice(around, around + self.config.clip_frames)
            weight = self._tensor(batch.weight)[:, inner, None]
            truth = self._tensor(batch.mouth)[:, inner] * weight
            if isinstance(self.cascade, MouthOnly):
                heard = {name: rows[:, _rows(inner, rows, batch.pose)] for name, rows in features.items()}
                other = {n: r[:, _rows(inner, r, batch.pose)] for n, r in self._tensors(batch.elsewhere).items()}
                loss, told = self._mouth_losses(self.cascade, truth, mouth * weight, heard, other)
            else:
                losses = cascade_loss(
                    truth, mouth * weight, self._tensor(batch.landmarks)[:, inner] * weight, flat * weight
                )
                loss = losses.total
                told = {"pca": losses.pca, "landmarks": losses.landmarks, "velocity": losses.velocity}
                told = {name: value / UNIT**2 for name, value in {"loss": loss, **told}.items()}
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()
        self._average(step_index)
        return {name: float(value.detach()) for name, value in told.items()}

    def _mouth_losses(
        self,
        network: MouthOnly,
        truth: Tensor,
        made: Tensor,
        heard: dict[str, Tensor],
        other: dict[str, Tensor],
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean squared error of standardised components, and what the discriminator says once it has joined."""
        loss = squared_error(truth, made) / (truth.shape[-1] * network.scale**2)
        told = {"loss": loss}
        if self._judge is not None and self.complete:
            real, shown = truth / network.scale, made / network.scale
            told["judge"] = self._judge.learn(heard, other, real, shown)
            told["verdict"] = self._judge.verdict(heard, shown)
            loss = loss + self.config.adversarial * told["verdict"]
        return loss, told

    def _encoded(self) -> tuple[F32, F32]:
        """(N, 13) components and (N, 58) landmarks of the training frames, in training units."""
        parts = []
        for clip in self.data.train:
            seen = clip.weight > 0
            mouth, flat = self.statistics.encode(clip.landmarks, smooth_conditions(clip.conditions, self.config))
            parts.append((mouth[seen], flat[seen]))
        return np.concatenate([m for m, _ in parts]), np.concatenate([f for _, f in parts])

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

    def _tensors(self, rows: dict[str, F32]) -> dict[str, Tensor]:
        return {name: self._tensor(r) for name, r in rows.items()}

    def _tensor(self, rows: F32) -> Tensor:
        return torch.from_numpy(rows).to(self._device)


def _rows(frames: slice, rows: Tensor, pose: F32) -> slice:
    """The rows of a feature that belong to some frames of a batch."""
    rate = rows.shape[1] // pose.shape[1]
    return slice(rate * frames.start, rate * frames.stop)
