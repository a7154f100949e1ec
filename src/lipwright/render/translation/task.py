"""One training step of the translation renderer, its validation and its preview (for train.loop)."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from lipwright.core import parallel
from lipwright.core.contracts import U8
from lipwright.core.prefetch import Prefetch
from lipwright.render.translation.config import MAP_CHANNELS, TranslationConfig
from lipwright.render.translation.data import Batch, TranslationData
from lipwright.render.translation.discriminators import MultiscaleDiscriminator
from lipwright.render.translation.layers import head, initialise
from lipwright.render.translation.losses import (
    feature_matching,
    laplacian_distance,
    lsgan,
    weighted_charbonnier,
)
from lipwright.render.translation.networks import LocalEnhancer, build_generator
from lipwright.render.translation.perceptual import perceptual_distance
from lipwright.render.translation.precision import autocast
from lipwright.render.translation.quality import contact_sheet, mouth_quality, strip
from lipwright.render.translation.renderer import TranslationRenderer
from lipwright.render.translation.schedule import Stage, adversarial_weight, learning_rate, stage
from lipwright.render.translation.start import initial_weights

_VALIDATION_FRAMES = 32


class TranslationTask:
    """Generator against discriminators on one person's crops.

    Args:
        config: of the renderer.
        data: the person.
        seed: of the start and of every batch; the same seed and step give the same sample.
        device: where networks run.
        perceptual: a distance of two (B, 3, H, W) batches such as Vgg19Distance, added when given.
        start: a state dict of the generator to begin with (`start.initial_weights`); None begins at random.
    """

    kept = ("generator",)
    """The modules that are a result; the others matter only while training."""

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
        # On a CPU the norms of NCHW maps are up to 40 times faster, which outweighs oneDNN's reorders.
        self._layout = torch.contiguous_format if self.device.type == "cpu" else torch.channels_last
        self._parts = {name: self._placed(part) for name, part in _build(config, seed, start).items()}
        # The average of the learner over its steps is what is validated and kept.
        self._parts["generator"] = copy.deepcopy(self._parts["learner"]).requires_grad_(False)
        sides = {"generator": ("learner", "coarse_head"), "discriminator": ("discriminator", "mouth_discriminator")}
        self._sides = {
            side: [p for name in names if name in self._parts for p in self._parts[name].parameters()]
            for side, names in sides.items()
        }
        self._optimisers = {
            side: torch.optim.Adam(parameters, config.learning_rate, betas=(0.5, 0.999), fused=True)
            for side, parameters in self._sides.items()
        }
        self._gan, self._stage = 0.0, Stage.WHOLE
        if config.compile:
            for part in self._parts.values():
                part.compile()
        workers = 1 if self.device.type == "cpu" else min(4, os.cpu_count() or 1)
        rank = parallel.rank()
        self._batches = Prefetch(lambda step: data.batch(config, seed, step, rank), workers)
        self._steps, self._spent_s = 0, 0.0

    def modules(self) -> dict[str, nn.Module]:
        """Everything with weights: `generator` (the running average, to keep), `learner`, discriminators."""
        return self._parts

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """One per side of the game."""
        return dict(self._optimisers)

    def budget_fraction(self, fraction: float) -> None:
        """Set rates, adversarial weight and stage for this much of the budget spent, in [0, 1] (`schedule`)."""
        for optimiser in self._optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(self.config, fraction)
        self._gan, self._stage = adversarial_weight(self.config, fraction), stage(self.config, fraction)
        learner = self._parts["learner"]
        if isinstance(learner, LocalEnhancer):
            for parameter in learner.global_parameters():
                parameter.requires_grad_(self._stage is not Stage.ENHANCER)

    def step(self, step_index: int) -> dict[str, float]:
        """One step of the generator and, once they have joined, of the discriminators; losses by name."""
        began = time.perf_counter()
        batch = self._to_device(self._batches[step_index])
        with autocast(self.device, self.config.bf16):
            raw, batch = self._forward(batch)
        fake = raw.float() * batch.mask + batch.outside * (1 - batch.mask)
        losses = self._reconstruction(fake, batch)
        verdicts: dict[str, Tensor] = {}
        if self._gan > 0:
            verdicts, adversarial = self._play(fake, batch)
            losses |= adversarial
        self._descend("generator", losses)
        if verdicts:
            self._descend("discriminator", verdicts)
        self._average(step_index)
        told = losses | verdicts
        values = torch.stack([value.detach().float() for value in told.values()]).tolist()  # one wait for the device
        self._steps, self._spent_s = self._steps + 1, self._spent_s + time.perf_counter() - began
        return dict(zip(told, values, strict=True))

    def _forward(self, batch: Batch) -> tuple[Tensor, Batch]:
        """The learner's pictures and what they are compared with: at half size in the coarse stage."""
        learner = self._parts["learner"].train()
        if self._stage is not Stage.COARSE:
            return learner(batch.inputs), batch
        assert isinstance(learner, LocalEnhancer)
        features, batch = learner.coarse(batch.inputs), batch.halved()
        height, width = batch.target.shape[-2:]
        return self._parts["coarse_head"](features)[..., :height, :width], batch

    def renderer(self) -> TranslationRenderer:
        """What has been trained so far, ready to speak."""
        return TranslationRenderer(self.config, self._parts["generator"], self.data.geometry, str(self.device))

    def speed(self) -> dict[str, float]:
        """Milliseconds a step and of it waiting for samples; samples a second that the loader could give."""
        return {
            "step_ms": 1000 * self._spent_s / max(self._steps, 1),
            "wait_ms": 1000 * self._batches.wait_s,
            "loader_fps": self.config.batch * self._batches.rate,
        }

    @torch.no_grad()
    def _average(self, step_index: int) -> None:
        keep = min(self.config.ema, (1 + step_index) / (10 + step_index))
        pairs = zip(self._parts["generator"].parameters(), self._parts["learner"].parameters(), strict=True)
        for average, current in pairs:
            average.lerp_(current, 1 - keep)

    def _descend(self, side: str, losses: dict[str, Tensor]) -> None:
        self._optimisers[side].zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        parallel.average_gradients(self._sides[side])
        self._optimisers[side].step()

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

    def _play(self, fake: Tensor, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses of the discriminators and of the generator against them, both before either moves.

        Features of real pictures serve both sides, as in pix2pixHD.
        """
        c = self.config
        condition = batch.inputs[:, :MAP_CHANNELS]
        pairs: list[tuple[str, Tensor, Tensor]] = [
            ("", torch.cat([condition, fake], 1), torch.cat([condition, batch.target], 1))
        ]
        if c.mouth_discriminator:
            _, fake_whole, real_whole = pairs[0]
            pairs.append(("mouth_", self._mouths(fake_whole, batch), self._mouths(real_whole, batch)))
        verdicts, losses = {}, {}
        for prefix, fake_pair, real_pair in pairs:
            judge = self._parts[f"{prefix}discriminator"].train()
            with autocast(self.device, self.config.bf16):
                told_fake, told_real = _halves(judge(torch.cat([fake_pair.detach(), real_pair])))
                judge.requires_grad_(False)  # the generator's pass must not pay for the judge's gradients
                seen = judge(fake_pair)
                judge.requires_grad_(True)
            verdicts[f"{prefix}judge"] = 0.5 * (lsgan(told_fake, 0.0) + lsgan(told_real, 1.0))
            losses[f"{prefix}gan"] = self._gan * c.gan_weight * lsgan(seen, 1.0)
            losses[f"{prefix}features"] = self._gan * c.feature_weight * feature_matching(seen, told_real)
        return verdicts, losses

    def _mouths(self, x: Tensor, batch: Batch) -> Tensor:
        return torch.stack([x[i, :, t : t + h, left : left + w] for i, (left, t, w, h) in enumerate(batch.mouth)])

    def validate(self) -> dict[str, float]:
        """`score` (lower is better), mouth-box PSNR in dB and sharpness over real on held-out frames."""
        return mouth_quality(*self._pictures(_spread(self.data.validation, _VALIDATION_FRAMES)))

    def _pictures(self, indices: np.ndarray) -> tuple[list[U8], list[U8]]:
        """Mouth boxes of frames, generated and real."""
        fakes, reals = [], []
        for index in indices:
            batch = self.data.plain(np.array([index]), self.config)
            left, top, width, height = batch.mouth[0]
            where = np.s_[top : top + height, left : left + width]
            fakes.append(self._generate(batch)[where])
            reals.append(_rgb8(batch.target[0])[where])
        return fakes, reals

    def _generate(self, batch: Batch) -> U8:
        moved = self._to_device(batch)
        with torch.inference_mode(), autocast(self.device, self.config.bf16):
            raw = self._parts["generator"].eval()(moved.inputs).float()
        return _rgb8((raw * moved.mask + moved.outside * (1 - moved.mask))[0])

    def preview(self) -> U8:
        """Contact sheet of held-out frames: real, generated, difference; whole crop and mouth.

        In the coarse stage the enhancer has learned nothing yet: what the global part draws is shown, at half size.
        """
        rows = []
        for index in _spread(self.data.validation, 4):
            batch = self.data.plain(np.array([index]), self.config)
            if self._stage is Stage.COARSE:
                with torch.no_grad(), autocast(self.device, self.config.bf16):
                    raw, batch = self._forward(self._to_device(batch))
                fake = _rgb8((raw.float() * batch.mask + batch.outside * (1 - batch.mask))[0])
            else:
                fake = self._generate(batch)
            rows.append((_rgb8(batch.target[0]), fake, batch.mouth[0]))
        return contact_sheet(rows)

    def mouths(self, count: int = 10) -> U8:
        """Strip of consecutive held-out mouths: real above, generated below, enlarged."""
        return strip(*self._pictures(self.data.validation[:count]))

    def _placed(self, part: nn.Module) -> nn.Module:
        moved: nn.Module = part.to(device=self.device).to(memory_format=self._layout)  # type: ignore[call-overload]
        return moved

    def _to_device(self, batch: Batch) -> Batch:
        inputs, target, mask, outside = (
            t.to(self.device, memory_format=self._layout, non_blocking=True)
            for t in (batch.inputs, batch.target, batch.mask, batch.outside)
        )
        return Batch(inputs, target, mask, outside, batch.mouth)


def new_task(
    config: TranslationConfig,
    data: TranslationData,
    seed: int,
    device: str = "cpu",
    init: str | os.PathLike[str] | None = None,
) -> TranslationTask:
    """A task with what a user may have brought: VGG19's weights, and weights to start from (`start`)."""
    start = initial_weights(init, config) if init is not None else None
    return TranslationTask(config, data, seed, device, perceptual_distance(config, device), start)


def _build(config: TranslationConfig, seed: int, start: Mapping[str, Tensor] | None) -> dict[str, nn.Module]:
    """All networks that learn, the same for the same seed; the global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learner = build_generator(config)
        parts: dict[str, nn.Module] = {
            "learner": learner,
            "discriminator": MultiscaleDiscriminator(MAP_CHANNELS + 3, config.ndf, config.n_scales),
        }
        if config.mouth_discriminator:
            parts["mouth_discriminator"] = MultiscaleDiscriminator(MAP_CHANNELS + 3, config.ndf, 1)
        if isinstance(learner, LocalEnhancer):
            parts["coarse_head"] = nn.Sequential(*head(2 * config.ngf, 3))
            initialise(parts["coarse_head"])
    if start is not None:
        learner.load_state_dict(start, strict=True)
    return parts


def _halves(features: list[list[Tensor]]) -> tuple[list[list[Tensor]], list[list[Tensor]]]:
    """Split features of a (fake, real) double batch."""
    first = [[f.chunk(2)[0] for f in scale] for scale in features]
    return first, [[f.chunk(2)[1] for f in scale] for scale in features]


def _rgb8(image: Tensor) -> U8:
    """(3, H, W) in [-1, 1] to (H, W, 3) uint8."""
    scaled = (image.detach().float().cpu() + 1) * 127.5
    return scaled.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()


def _spread(indices: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of the indices, evenly spaced."""
    return indices[np.unique(np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(int))]
