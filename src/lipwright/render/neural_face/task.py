"""One training step of the neural face renderer (for train.loop)."""

from __future__ import annotations

import os
from typing import Protocol

import torch
from torch import Tensor, nn

from lipwright.core import parallel
from lipwright.core.contracts import F32, U8
from lipwright.core.prefetch import Prefetch
from lipwright.render.neural_face.build import build_generator, build_judges
from lipwright.render.neural_face.config import NeuralFaceConfig
from lipwright.render.neural_face.geometry import FaceGeometry
from lipwright.render.neural_face.networks import OnBase
from lipwright.render.neural_face.renderer import NeuralFaceRenderer
from lipwright.render.neural_face.start import begin
from lipwright.render.translation.batch import Batch
from lipwright.render.translation.game import Game, Pair
from lipwright.render.translation.game_task import GameTask
from lipwright.render.translation.held_out import Filmed, HeldOut
from lipwright.render.translation.losses import laplacian_distance, weighted_mean
from lipwright.render.translation.pace import Pace
from lipwright.render.translation.schedule import adversarial_weight, learning_rate


class LowerFaces(Filmed, Protocol):
    """What is learnt from and judged by: a person (`data.FaceData`), or many."""

    @property
    def geometry(self) -> FaceGeometry:
        """Of the one that is judged by."""

    def batch(self, config: NeuralFaceConfig, seed: int, step: int, rank: int = 0) -> Batch:
        """Training samples, the same for the same (seed, step)."""

    def mean(self) -> F32:
        """(3, S, S) in [-1, 1] mean picture."""


class NeuralFaceTask(GameTask[HeldOut]):
    """Generator against discriminators on one person's lower faces.

    Args:
        config: of the renderer; `start` says where the networks begin.
        data: the person.
        seed: of the start and of every batch; the same seed and step give the same sample.
        device: where it runs.
        perceptual: a distance of two (B, 3, H, W) batches, added when given (`translation.perceptual`).
    Source: AudioDVP 3.3 and Meta Talk: L1 and a conditional PatchGAN; what presets add is pix2pixHD's.
    """

    def __init__(
        self,
        config: NeuralFaceConfig,
        data: LowerFaces,
        seed: int,
        device: str = "cpu",
        perceptual: nn.Module | None = None,
    ) -> None:
        self.config, self.data = config, data
        self.device = torch.device(device)
        self._perceptual = perceptual.to(self.device) if perceptual is not None else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            learner, judges = build_generator(config), build_judges(config)
        if isinstance(learner, OnBase):
            learner.start_from(torch.from_numpy(data.mean()))
        begin({"learner": learner, **judges}, config.start)
        game = Game(config, {"learner": learner}, judges, self.device)
        self._gan = 0.0
        held_out = HeldOut(config, data, self._on_device, game.draw)
        workers = 1 if self.device.type == "cpu" else min(8, os.cpu_count() or 1)
        rank = parallel.rank()
        self._samples = Prefetch(lambda step: data.batch(config, seed, step, rank), workers)
        super().__init__(game, Pace(self._samples, config.batch), held_out)

    def renderer(self) -> NeuralFaceRenderer:
        """What has been trained so far, ready to speak."""
        geometry = self.data.geometry
        finish = self._held_out.finish(self.config.residual, self.config.size / geometry.square.side)
        return NeuralFaceRenderer(self.config, self._game.parts["generator"], geometry, str(self.device), finish)

    def budget_fraction(self, fraction: float) -> None:
        """Set rates and adversarial weight for this much of the budget spent, in [0, 1] (`schedule`)."""
        self._game.rate(learning_rate(self.config, fraction) if self.config.decay else self.config.learning_rate)
        self._gan = adversarial_weight(self.config, fraction)

    def step(self, step_index: int) -> dict[str, float]:
        """One step of the generator and, once they have joined, of the discriminators; losses by name."""
        with self._pace.step():
            batch = self._on_device(self._samples[step_index])
            raw = self._game.learn(batch.inputs)
            fake = batch.composed(raw)
            losses = self._reconstruction(raw, fake, batch)
            verdicts: dict[str, Tensor] = {}
            if self._gan > 0:
                verdicts, adversarial = self._game.play(self._pairs(fake, batch), self._gan)
                losses |= adversarial
            return self._game.move(step_index, losses, verdicts)

    def mouths(self) -> U8:
        """Strip of consecutive held-out mouths: real above generated."""
        return self._held_out.strip()

    def _reconstruction(self, raw: Tensor, fake: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Losses of what is drawn, the template around it with it, and of the picture it is shown in."""
        c = self.config
        outside = c.outside_weight if c.surround else 0.0
        weight = batch.mask + outside * (1 - batch.mask)
        for i, (left, top, width, height) in enumerate(batch.mouth):
            weight[i, :, top : top + height, left : left + width] *= c.mouth_weight
        drawn = raw if outside > 0 else fake
        losses = {"pixel": c.pixel_weight * weighted_mean((drawn - batch.target).abs(), weight)}
        if c.laplacian_weight > 0:
            losses["laplacian"] = c.laplacian_weight * laplacian_distance(drawn, batch.target, weight)
        if self._perceptual is not None:
            losses["perceptual"] = c.perceptual_weight * self._perceptual(fake, batch.target)
        return losses

    def _pairs(self, fake: Tensor, batch: Batch) -> list[Pair]:
        """(discriminator, generated, real): the square with its drawings, and its mouth box."""
        condition = batch.inputs[:, : self.config.condition_channels]
        whole = torch.cat([condition, fake], 1), torch.cat([condition, batch.target], 1)
        pairs = [("", *whole)]
        if self.config.mouth_discriminator:
            pairs.append(("mouth_", batch.mouths(whole[0]), batch.mouths(whole[1])))
        return pairs

    def _on_device(self, batch: Batch) -> Batch:
        return batch.to(self.device, self._game.layout)
