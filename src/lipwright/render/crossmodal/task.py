"""One training step of the cross-modal renderer (for train.loop)."""

from __future__ import annotations

import os

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.core import parallel
from lipwright.core.prefetch import Prefetch
from lipwright.render.crisp import Crisp
from lipwright.render.crossmodal.batch import Batch
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.crossmodal.held_out import HeldOut
from lipwright.render.crossmodal.networks import STROKE_CHANNELS, CrossModal, SpeechEncoder
from lipwright.render.crossmodal.pairs import PicturePairs
from lipwright.render.crossmodal.prototypes import Shape
from lipwright.render.crossmodal.start import mouth_region, start_of
from lipwright.render.translation.discriminators import MultiscaleDiscriminator
from lipwright.render.translation.game import Game
from lipwright.render.translation.game_task import GameTask
from lipwright.render.translation.losses import laplacian_distance, weighted_mean
from lipwright.render.translation.pace import Pace
from lipwright.render.translation.precision import autocast
from lipwright.render.translation.schedule import adversarial_weight, learning_rate

_SAME_SECOND = 25
"""Places about a frame whose prototypes are hidden from it in training."""
_BETA = 0.1
"""Where smooth L1 turns from quadratic to linear, of [-1, 1]."""


class CrossModalTask(GameTask[HeldOut]):
    """The cross-modal network against a head and a mouth discriminator, on one person's pictures.

    Args:
        config: of the renderer.
        data: the person.
        pairs: the oracle's pictures; None trains on real frames alone.
        seed: of the start and of every batch; the same seed and step give the same samples.
        device: where networks run.
        perceptual: a distance of two (B, 3, H, W) batches (`translation.perceptual.perceptual_distance`); None puts
            a Laplacian pyramid in its place.
    Source: paper D: two PatchGANs, smooth L1, feature losses; pix2pixHD's weights.
    """

    def __init__(
        self,
        config: CrossModalConfig,
        data: CrossModalData,
        pairs: PicturePairs | None,
        seed: int,
        device: str = "cpu",
        perceptual: nn.Module | None = None,
    ) -> None:
        self.config, self.data = config, data
        self.device = torch.device(device)
        self._perceptual = perceptual.to(self.device) if perceptual is not None else None
        learner, judges, self._shown = _build(config, data, seed)
        game = Game(config, {"learner": learner}, judges, self.device)
        self._gan = 0.0
        held_out = HeldOut(config, data, self._on_device, self._draw)
        workers = 1 if self.device.type == "cpu" else min(4, os.cpu_count() or 1)
        rank = parallel.rank()
        self._samples = Prefetch(lambda step: data.batch(config, pairs, seed, step, rank), workers)
        super().__init__(game, Pace(self._samples, config.batch), held_out)

    def network(self) -> CrossModal:
        """What has been trained so far."""
        network = self._game.parts["generator"]
        assert isinstance(network, CrossModal)
        return network

    def budget_fraction(self, fraction: float) -> None:
        """Set rates and adversarial weight for this much of the budget spent, in [0, 1] (`schedule`)."""
        self._game.rate(learning_rate(self.config, fraction))
        self._gan = adversarial_weight(self.config, fraction)

    @property
    def complete(self) -> bool:
        """Whether the discriminators have their full weight: before, the score prefers the start's own mouths."""
        return self._gan >= 1 or not self.config.adversarial

    def step(self, step_index: int) -> dict[str, float]:
        """One step of the network and, once they have joined, of the discriminators; losses by name."""
        with self._pace.step():
            batch = self._on_device(self._samples[step_index])
            with autocast(self.device, self.config.bf16):
                learner = self._game.parts["learner"].train()
                head, mouth = learner(batch.strokes, batch.speech, self._hidden(batch))
            head, mouth = head.float(), mouth.float()
            mouth = mouth * batch.known + batch.mouth * (1 - batch.known)
            losses = self._reconstruction("", head, batch.head, batch.head_weight, 1.0)
            losses |= self._reconstruction("mouth_", mouth, batch.mouth, batch.weight, self.config.mouth_weight)
            verdicts: dict[str, Tensor] = {}
            if self._gan > 0:
                whole = torch.cat([batch.strokes, head], 1), torch.cat([batch.strokes, batch.head], 1)
                pairs = [("", *whole), ("mouth_", mouth, batch.mouth)]
                verdicts, adversarial = self._game.play(pairs, self._gan)
                losses |= adversarial
            return self._game.move(step_index, losses, verdicts)

    def crisp(self) -> Crisp:
        """What gives mouth pictures the detail of real ones."""
        return self._held_out.crisp()

    def _reconstruction(
        self, prefix: str, fake: Tensor, real: Tensor, where: Tensor, weight: float
    ) -> dict[str, Tensor]:
        """Losses of a picture, its pixels weighted by `where` (B, 1, S, S)."""
        c = self.config
        alike = self._perceptual(fake, real) if self._perceptual is not None else laplacian_distance(fake, real, where)
        off = F.smooth_l1_loss(fake, real, reduction="none", beta=_BETA)
        return {
            f"{prefix}pixel": weight * c.pixel_weight * weighted_mean(off, where),
            f"{prefix}perceptual": weight * c.perceptual_weight * alike,
        }

    def _hidden(self, batch: Batch) -> Tensor | None:
        """(B, P) prototypes of the same second as what is asked for."""
        if self._shown is None:
            return None
        near = (batch.place[:, None] - self._shown.to(batch.place)).abs() <= _SAME_SECOND
        return near & ~near.all(1, keepdim=True)  # of a second of footage something must be left

    def _draw(self, strokes: Tensor, speech: Tensor) -> tuple[Tensor, Tensor]:
        """The averaged network's head and mouth pictures."""
        with torch.inference_mode(), autocast(self.device, self.config.bf16):
            head, mouth = self.network().eval()(strokes, speech)
        return head.float(), mouth.float()

    def _on_device(self, batch: Batch) -> Batch:
        return batch.to(self.device, self._game.layout)


def _build(
    config: CrossModalConfig, data: CrossModalData, seed: int
) -> tuple[CrossModal, dict[str, nn.Module], Tensor | None]:
    """The network, its discriminators and (P,) places of its prototypes: the same for the same seed; the global random
    state is left alone."""
    encoder = SpeechEncoder(config.window, config.k, 1)
    encoder.standardise(data.speech[data.train].reshape(-1, config.k))
    mean, scale = encoder.mean, encoder.scale
    start = start_of(data, config, mean.numpy(), scale.numpy()) if config.mean_base else None
    chosen = start.chosen if start is not None else None
    shape = None if chosen is None else Shape(len(chosen.frames), *mouth_region(data, config))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learner = CrossModal(config, data.geometry.mouth_square, shape)
        learner.speech_encoder.mean.copy_(mean)
        learner.speech_encoder.scale.copy_(scale)
        if start is not None:
            learner.start_from(start)
        judges: dict[str, nn.Module] = {
            "discriminator": MultiscaleDiscriminator(STROKE_CHANNELS + 3, config.ndf, config.n_scales),
            "mouth_discriminator": MultiscaleDiscriminator(3, config.ndf, 1),
        }
    return learner, judges, None if chosen is None else torch.from_numpy(chosen.frames)
