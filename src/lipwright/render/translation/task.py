"""One training step of the translation renderer, its validation and its preview (for train.loop)."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from lipwright.core.contracts import U8
from lipwright.render.translation.config import MAP_CHANNELS, TranslationConfig
from lipwright.render.translation.data import Batch, TranslationData
from lipwright.render.translation.discriminators import MultiscaleDiscriminator
from lipwright.render.translation.losses import (
    feature_matching,
    laplacian_distance,
    lsgan,
    weighted_charbonnier,
)
from lipwright.render.translation.networks import build_generator
from lipwright.render.translation.precision import autocast
from lipwright.render.translation.quality import contact_sheet, mouth_quality
from lipwright.render.translation.temporal import fed, from_nothing, history_source, roll_out, shown_together

_VALIDATION_FRAMES = 32
_RUN = 8
"""Consecutive frames from an empty start in which a network with `temporal_inputs` is validated."""


class TranslationTask:
    """Generator against discriminators on one person's crops.

    Args:
        config: of the renderer.
        data: the person.
        seed: of the start and of every batch; the same seed and step give the same sample.
        device: where networks run.
        perceptual: a distance of two (B, 3, H, W) batches such as Vgg19Distance, added when given.
    """

    def __init__(
        self,
        config: TranslationConfig,
        data: TranslationData,
        seed: int,
        device: str = "cpu",
        perceptual: nn.Module | None = None,
    ) -> None:
        self.config, self.data, self.seed = config, data, seed
        self.device = torch.device(device)
        self.perceptual = perceptual.to(self.device) if perceptual is not None else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            parts: dict[str, nn.Module] = {
                "learner": build_generator(config),
                "discriminator": MultiscaleDiscriminator(MAP_CHANNELS + 3, config.ndf, config.n_scales),
            }
            if config.mouth_discriminator:
                parts["mouth_discriminator"] = MultiscaleDiscriminator(MAP_CHANNELS + 3, config.ndf, 1)
            if config.temporal_discriminator:
                parts["temporal_discriminator"] = MultiscaleDiscriminator(4 * config.stretch, config.ndf, 1)
        # On a CPU the norms of NCHW maps are up to 40 times faster, which outweighs oneDNN's reorders.
        self._layout = torch.contiguous_format if self.device.type == "cpu" else torch.channels_last
        self._parts = {name: self._placed(part) for name, part in parts.items()}
        judges = [p for name, part in parts.items() if name != "learner" for p in part.parameters()]
        rate = config.learning_rate
        self._optimisers = {
            "generator": torch.optim.Adam(parts["learner"].parameters(), rate, betas=(0.5, 0.999)),
            "discriminator": torch.optim.Adam(judges, rate, betas=(0.5, 0.999)),
        }
        # The average of the learner over its steps is what is validated and kept.
        self._parts["generator"] = copy.deepcopy(self._parts["learner"]).requires_grad_(False)
        self._gan = self._fraction = 0.0

    def modules(self) -> dict[str, nn.Module]:
        """Everything with weights: `generator` (the running average, to keep), `learner`, discriminators."""
        return self._parts

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """One per side of the game."""
        return dict(self._optimisers)

    def budget_fraction(self, fraction: float) -> None:
        """Set rates and adversarial weight for this much of the budget spent, in [0, 1].

        Constant rate for half of it, then linear to zero (pix2pixHD); discriminators join after `gan_start`.
        """
        c = self.config
        decay = min(1.0, 2.0 * (1.0 - fraction))
        for optimiser in self._optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = c.learning_rate * max(decay, 0.01)
        span = max(c.gan_full - c.gan_start, 1e-6)
        self._fraction = fraction
        self._gan = float(np.clip((fraction - c.gan_start) / span, 0.0, 1.0))

    def step(self, step_index: int) -> dict[str, float]:
        """One step of the generator and, once they have joined, of the discriminators; losses by name."""
        frames = [self._to_device(b) for b in self.data.stretch(self.config, self.seed, step_index)]
        batch = frames[-1]
        inputs, before = self._history(frames, step_index)
        learner = self._parts["learner"].train()
        with autocast(self.device, self.config.bf16):
            raw = learner(inputs)
        fake = _composed(raw.float(), batch)
        losses = self._reconstruction(fake, batch)
        verdicts: dict[str, Tensor] = {}
        if self._gan > 0:
            pairs = self._pairs(fake, batch)
            if self.config.temporal_discriminator:
                real = shown_together(frames, [f.target for f in frames])
                pairs.append(("temporal_", shown_together(frames, [*before, fake]), real))
            verdicts, adversarial = self._play(pairs)
            losses |= adversarial
        self._descend("generator", losses)
        if verdicts:
            self._descend("discriminator", verdicts)
        self._average(step_index)
        return {name: float(value.detach()) for name, value in (losses | verdicts).items()}

    def _history(self, frames: list[Batch], step_index: int) -> tuple[Tensor, list[Tensor]]:
        """Inputs of the last frame and the pictures before it; gradients stay in the last frame.

        Which history it gets is drawn from (seed, step) and the part of the budget spent.
        """
        c, (*earlier, last) = self.config, frames
        if not earlier:
            return last.inputs, []
        source = "own"
        if c.temporal_inputs:
            source = history_source(np.random.default_rng((self.seed, step_index, 1)).random(), self._fraction)
        if source != "own":
            real = [f.target for f in earlier]
            return (from_nothing(last) if source == "nothing" else fed(last, earlier[-1], real[-1])), real
        with torch.no_grad(), autocast(self.device, c.bf16):
            outputs = roll_out(self._parts["learner"].train(), earlier, c.temporal_inputs)
        inputs = fed(last, earlier[-1], outputs[-1]) if c.temporal_inputs else last.inputs
        return inputs, [_composed(raw, f) for raw, f in zip(outputs, earlier, strict=True)]

    @torch.no_grad()
    def _average(self, step_index: int) -> None:
        keep = min(self.config.ema, (1 + step_index) / (10 + step_index))
        pairs = zip(self._parts["generator"].parameters(), self._parts["learner"].parameters(), strict=True)
        for average, current in pairs:
            average.lerp_(current, 1 - keep)

    def _descend(self, side: str, losses: dict[str, Tensor]) -> None:
        self._optimisers[side].zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        self._optimisers[side].step()

    def _reconstruction(self, fake: Tensor, batch: Batch) -> dict[str, Tensor]:
        c = self.config
        weight = batch.mask.clone()
        width, height = self.data.geometry.mouth_box()
        for i, (left, top) in enumerate(batch.mouth):
            weight[i, :, top : top + height, left : left + width] *= c.mouth_weight
        losses = {
            "pixel": c.pixel_weight * weighted_charbonnier(fake, batch.target, weight),
            "laplacian": c.laplacian_weight * laplacian_distance(fake, batch.target, weight),
        }
        if self.perceptual is not None:
            losses["perceptual"] = c.perceptual_weight * self.perceptual(fake, batch.target)
        return losses

    def _pairs(self, fake: Tensor, batch: Batch) -> list[tuple[str, Tensor, Tensor]]:
        """(discriminator, generated, real) of one frame, each with its facial map."""
        condition = batch.inputs[:, :MAP_CHANNELS]
        pairs = [("", torch.cat([condition, fake], 1), torch.cat([condition, batch.target], 1))]
        if self.config.mouth_discriminator:
            _, fake_whole, real_whole = pairs[0]
            pairs.append(("mouth_", self._mouths(fake_whole, batch), self._mouths(real_whole, batch)))
        return pairs

    def _play(self, pairs: list[tuple[str, Tensor, Tensor]]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses of the discriminators and of the generator against them, both before either moves.

        Features of real pictures serve both sides, as in pix2pixHD.
        """
        c = self.config
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
        width, height = self.data.geometry.mouth_box()
        cut = [x[i, :, t : t + height, left : left + width] for i, (left, t) in enumerate(batch.mouth)]
        return torch.stack(cut)

    def validate(self) -> dict[str, float]:
        """`score` (lower is better), mouth-box PSNR in dB and sharpness over real on held-out frames."""
        fakes, reals = self._validation_pictures()
        return mouth_quality(fakes, reals)

    def _validation_pictures(self) -> tuple[list[U8], list[U8]]:
        """Mouth boxes of generated and real validation frames."""
        width, height = self.data.geometry.mouth_box()
        fakes, reals = [], []
        for batch, picture in self._held_out(_VALIDATION_FRAMES):
            left, top = batch.mouth[0]
            where = np.s_[top : top + height, left : left + width]
            fakes.append(picture[where])
            reals.append(_rgb8(batch.target[0])[where])
        return fakes, reals

    def _held_out(self, count: int) -> Iterator[tuple[Batch, U8]]:
        """About `count` validation frames and what is generated for them: spread ones, or runs of consecutive ones."""
        length = _RUN if self.config.temporal_inputs else 1
        for run in self.data.runs(self.data.validation, max(count // length, 1), length):
            if length == 1:
                frames = [self._to_device(self.data.plain(run, self.config))]
            else:
                frames = [self._to_device(b) for b in self.data.plain_run(run, self.config)]
            generator = self._parts["generator"].eval()
            with torch.inference_mode(), autocast(self.device, self.config.bf16):
                outputs = roll_out(generator, frames, self.config.temporal_inputs)
            yield from ((f, _rgb8(_composed(raw, f)[0])) for f, raw in zip(frames, outputs, strict=True))

    def preview(self) -> U8:
        """Contact sheet of held-out frames: real, generated, difference; whole crop and mouth."""
        width, height = self.data.geometry.mouth_box()
        shown = list(self._held_out(4 * (_RUN if self.config.temporal_inputs else 1)))
        rows = [(_rgb8(b.target[0]), picture, (*b.mouth[0], width, height)) for b, picture in shown]
        every = max(len(rows) // 4, 1)
        return contact_sheet(rows[every - 1 :: every])

    def _placed(self, part: nn.Module) -> nn.Module:
        moved: nn.Module = part.to(device=self.device).to(memory_format=self._layout)  # type: ignore[call-overload]
        return moved

    def _to_device(self, batch: Batch) -> Batch:
        inputs, target, mask, outside, kept = (
            t.to(self.device, memory_format=self._layout)
            for t in (batch.inputs, batch.target, batch.mask, batch.outside, batch.kept)
        )
        return Batch(inputs, target, mask, outside, batch.mouth, kept)


def _composed(raw: Tensor, batch: Batch) -> Tensor:
    """A generator's output where it is used, around it what the template shows."""
    return raw * batch.mask + batch.outside * (1 - batch.mask)


def _halves(features: list[list[Tensor]]) -> tuple[list[list[Tensor]], list[list[Tensor]]]:
    """Split features of a (fake, real) double batch."""
    first = [[f.chunk(2)[0] for f in scale] for scale in features]
    return first, [[f.chunk(2)[1] for f in scale] for scale in features]


def _rgb8(image: Tensor) -> U8:
    """(3, H, W) in [-1, 1] to (H, W, 3) uint8."""
    scaled = (image.detach().float().cpu() + 1) * 127.5
    return scaled.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
