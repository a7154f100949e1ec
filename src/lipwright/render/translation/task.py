"""One training step of the translation renderer (for train.loop)."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from lipwright.core import parallel
from lipwright.core.contracts import U8
from lipwright.core.prefetch import Prefetch
from lipwright.render.translation.batch import Batch
from lipwright.render.translation.config import MAP_CHANNELS, TranslationConfig
from lipwright.render.translation.data import TranslationData
from lipwright.render.translation.discriminators import build_discriminators
from lipwright.render.translation.game import Game, Pair
from lipwright.render.translation.game_task import GameTask
from lipwright.render.translation.held_out import HeldOut
from lipwright.render.translation.layers import halved, head, initialise
from lipwright.render.translation.losses import laplacian_distance, weighted_charbonnier
from lipwright.render.translation.networks import LocalEnhancer, build_generator
from lipwright.render.translation.pace import Pace
from lipwright.render.translation.precision import autocast
from lipwright.render.translation.renderer import TranslationRenderer
from lipwright.render.translation.schedule import Stage, adversarial_weight, learning_rate, stage
from lipwright.render.translation.temporal import fed, from_nothing, history_source, roll_out, shown_together


class TranslationTask(GameTask[HeldOut]):
    """Generator against discriminators on one person's crops.

    Args:
        config: of the renderer.
        data: the person.
        seed: of the start and of every batch; the same seed and step give the same sample.
        device: where networks run.
        perceptual: a distance of two (B, 3, H, W) batches, added when given (`perceptual.perceptual_distance`).
        start: a state dict of the generator to begin with (`start.initial_weights`); None begins at random.
    """

    def __init__(
        self,
        config: TranslationConfig,
        data: TranslationData,
        seed: int,
        device: str = "cpu",
        perceptual: nn.Module | None = None,
        start: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.config, self.data, self.seed = config, data, seed
        self.device = torch.device(device)
        self.perceptual = perceptual.to(self.device) if perceptual is not None else None
        game = Game(config, *_build(config, seed, start), self.device)
        self._parts = game.parts
        if config.compile:
            for part in self._parts.values():
                part.compile()
        self._gan, self._stage, self._fraction = 0.0, Stage.WHOLE, 0.0
        held_out = HeldOut(config, data, self._on_device, game.draw)
        workers = 1 if self.device.type == "cpu" else min(4, os.cpu_count() or 1)
        rank = parallel.rank()
        self._samples = Prefetch(lambda step: data.stretch(config, seed, step, rank), workers)
        super().__init__(game, Pace(self._samples, config.batch), held_out)

    def renderer(self) -> TranslationRenderer:
        """What has been trained so far, ready to speak."""
        geometry = self.data.geometry
        finish = self._held_out.finish(self.config.residual, self.config.size / float(geometry.box[2]))
        return TranslationRenderer(self.config, self._parts["generator"], geometry, str(self.device), finish=finish)

    def budget_fraction(self, fraction: float) -> None:
        """Set rates, adversarial weight and stage for this much of the budget spent, in [0, 1] (`schedule`)."""
        self._game.rate(learning_rate(self.config, fraction))
        self._fraction, self._gan = fraction, adversarial_weight(self.config, fraction)
        self._stage = stage(self.config, fraction)
        learner = self._parts["learner"]
        if isinstance(learner, LocalEnhancer):
            for parameter in learner.global_parameters():
                parameter.requires_grad_(self._stage is not Stage.ENHANCER)

    def step(self, step_index: int) -> dict[str, float]:
        """One step of the generator and, once they have joined, of the discriminators; losses by name."""
        with self._pace.step():
            frames = [self._on_device(batch) for batch in self._samples[step_index]]
            inputs, before = self._history(frames, step_index)
            if self._stage is Stage.COARSE:
                frames, before = [f.halved() for f in frames], [halved(x) for x in before]
            fake = frames[-1].composed(self._forward(inputs))
            losses = self._reconstruction(fake, frames[-1])
            verdicts: dict[str, Tensor] = {}
            if self._gan > 0:
                verdicts, adversarial = self._game.play(self._pairs(fake, frames, before), self._gan)
                losses |= adversarial
            return self._game.move(step_index, losses, verdicts)

    def mouths(self) -> U8:
        """Strip of consecutive held-out mouths: real above generated."""
        return self._held_out.strip()

    def _forward(self, inputs: Tensor) -> Tensor:
        """The learner's raw pictures; in the coarse stage those of its global part, at half size."""
        learner = self._parts["learner"].train()
        with autocast(self.device, self.config.bf16):
            if self._stage is not Stage.COARSE:
                return learner(inputs).float()
            assert isinstance(learner, LocalEnhancer)
            height, width = ((side + 1) // 2 for side in inputs.shape[-2:])  # less than the padded features
            raw = self._parts["coarse_head"](learner.coarse(inputs))[..., :height, :width]
            return raw.float()

    def _history(self, frames: list[Batch], step_index: int) -> tuple[Tensor, list[Tensor]]:
        """Inputs of the last frame and the pictures before it; gradients stay in the last frame.

        Which history it gets is drawn from (seed, step) and the part of the budget spent. In the coarse stage the
        learner's own full-size pictures are nothing yet, so they are never it.
        """
        c, (*earlier, last) = self.config, frames
        if not earlier:
            return last.inputs, []
        source = "own"
        if c.temporal_inputs:
            source = history_source(np.random.default_rng((self.seed, step_index, 1)).random(), self._fraction)
        if source == "own" and self._stage is Stage.COARSE:
            source = "real"
        if source != "own":
            real = [f.target for f in earlier]
            inputs = from_nothing(last) if source == "nothing" else fed(last, earlier[-1], real[-1])
            return (inputs if c.temporal_inputs else last.inputs), real
        with torch.no_grad(), autocast(self.device, c.bf16):
            outputs = roll_out(self._parts["learner"].train(), earlier, c.temporal_inputs)
        inputs = fed(last, earlier[-1], outputs[-1]) if c.temporal_inputs else last.inputs
        return inputs, [f.composed(raw) for raw, f in zip(outputs, earlier, strict=True)]

    def _reconstruction(self, fake: Tensor, batch: Batch) -> dict[str, Tensor]:
        c = self.config
        weight = batch.mask.clone()
        for i, (left, top, width, height) in enumerate(batch.mouth):
            weight[i, :, top : top + height, left : left + width] *= c.mouth_weight
        losses = {"pixel": c.pixel_weight * weighted_charbonnier(fake, batch.target, weight)}
        if c.laplacian_weight > 0:
            losses["laplacian"] = c.laplacian_weight * laplacian_distance(fake, batch.target, weight)
        if self.perceptual is not None:
            losses["perceptual"] = c.perceptual_weight * self.perceptual(fake, batch.target)
        return losses

    def _pairs(self, fake: Tensor, frames: list[Batch], before: list[Tensor]) -> list[Pair]:
        """(discriminator, generated, real): the last frame with its facial map, its mouth, and all frames at once."""
        batch = frames[-1]
        condition = batch.inputs[:, :MAP_CHANNELS]
        whole = torch.cat([condition, fake], 1), torch.cat([condition, batch.target], 1)
        pairs = [("", *whole)]
        if self.config.mouth_discriminator:
            pairs.append(("mouth_", batch.mouths(whole[0]), batch.mouths(whole[1])))
        if self.config.temporal_discriminator:
            shown = shown_together(frames, [*before, fake]), shown_together(frames, [f.target for f in frames])
            pairs.append(("temporal_", *shown))
        return pairs

    def _on_device(self, batch: Batch) -> Batch:
        return batch.to(self.device, self._game.layout)


def _build(
    config: TranslationConfig, seed: int, start: Mapping[str, Tensor] | None
) -> tuple[dict[str, nn.Module], dict[str, nn.Module]]:
    """All networks that learn, of both sides, the same for the same seed; the global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learner = build_generator(config)
        players: dict[str, nn.Module] = {"learner": learner}
        judges = build_discriminators(config)
        if isinstance(learner, LocalEnhancer):
            players["coarse_head"] = nn.Sequential(*head(2 * config.ngf, 3))
            initialise(players["coarse_head"])
    if start is not None:
        learner.load_state_dict(start)
    return players, judges
