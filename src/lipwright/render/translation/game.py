"""One step of a generator against discriminators, and the running average that is kept of it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from lipwright.core import parallel
from lipwright.render.translation.losses import feature_matching, lsgan, vanilla
from lipwright.render.translation.precision import autocast

Pair = tuple[str, Tensor, Tensor]
"""(prefix of the discriminator's name, generated, real), both (B, C, H, W) with what they are conditioned on."""


class Rules(Protocol):
    """What a configuration says of the game."""

    @property
    def gan_weight(self) -> float:
        """Weight of the adversarial term; LSGAN's unless `gan` is 'vanilla'."""

    @property
    def feature_weight(self) -> float:
        """Weight of feature matching."""

    @property
    def learning_rate(self) -> float:
        """Of both sides, to begin with."""

    @property
    def ema(self) -> float:
        """Decay per step of the average; shorter at the start."""

    @property
    def bf16(self) -> bool:
        """Compute in bfloat16 where that is native."""


class Game:
    """Networks of both sides on their device, with an Adam for each side.

    Args:
        rules: weights and rates.
        players: networks of the generator's side; `learner` is the generator that learns.
        judges: discriminators, named PREFIX + 'discriminator'.
    """

    def __init__(
        self, rules: Rules, players: Mapping[str, nn.Module], judges: Mapping[str, nn.Module], device: torch.device
    ) -> None:
        self._rules, self.device = rules, device
        # On a CPU the norms of NCHW maps are up to 40 times faster, which outweighs oneDNN's reorders.
        self.layout = torch.contiguous_format if device.type == "cpu" else torch.channels_last
        sides = {"generator": players, "discriminator": judges}
        self.parts: dict[str, nn.Module] = {
            name: self._placed(part) for side in sides.values() for name, part in side.items()
        }
        self.optimisers = {side: self._optimiser(list(of)) for side, of in sides.items()}
        # The average of the learner over its steps is what is validated and kept.
        self.parts["generator"] = copy.deepcopy(self.parts["learner"]).requires_grad_(False)

    def rate(self, learning_rate: float) -> None:
        """Set the learning rate of both sides."""
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = learning_rate

    def learn(self, inputs: Tensor) -> Tensor:
        """The learner's raw pictures, with gradients."""
        with autocast(self.device, self._rules.bf16):
            return self.parts["learner"].train()(inputs).float()

    def play(self, pairs: Sequence[Pair], weight: float) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Losses of the discriminators and of the generator against them (times `weight`), before either moves.

        Features of real pictures serve both sides, as in pix2pixHD.
        """
        verdicts, losses = {}, {}
        told = vanilla if getattr(self._rules, "gan", "lsgan") == "vanilla" else lsgan
        for prefix, fake_pair, real_pair in pairs:
            judge = self.parts[f"{prefix}discriminator"].train()
            with autocast(self.device, self._rules.bf16):
                told_fake, told_real = _halves(judge(torch.cat([fake_pair.detach(), real_pair])))
                judge.requires_grad_(False)  # the generator's pass must not pay for the judge's gradients
                seen = judge(fake_pair)
                judge.requires_grad_(True)
            verdicts[f"{prefix}judge"] = 0.5 * (told(told_fake, 0.0) + told(told_real, 1.0))
            losses[f"{prefix}gan"] = weight * self._rules.gan_weight * told(seen, 1.0)
            losses[f"{prefix}features"] = weight * self._rules.feature_weight * feature_matching(seen, told_real)
        return verdicts, losses

    def move(self, step_index: int, losses: dict[str, Tensor], verdicts: dict[str, Tensor]) -> dict[str, float]:
        """One step of the generator's side and, where there are verdicts, of the discriminators; all by name."""
        self._descend("generator", losses)
        if verdicts:
            self._descend("discriminator", verdicts)
        self._average(step_index)
        told = losses | verdicts
        values = torch.stack([v.detach().float() for v in told.values()]).tolist()  # one wait for the device
        return dict(zip(told, values, strict=True))

    def draw(self, inputs: Tensor) -> Tensor:
        """The averaged generator's raw pictures."""
        with torch.inference_mode(), autocast(self.device, self._rules.bf16):
            return self.parts["generator"].eval()(inputs).float()

    def _descend(self, side: str, losses: dict[str, Tensor]) -> None:
        optimiser = self.optimisers[side]
        optimiser.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        parallel.average_gradients(optimiser.param_groups[0]["params"])
        optimiser.step()

    @torch.no_grad()
    def _average(self, step_index: int) -> None:
        keep = min(self._rules.ema, (1 + step_index) / (10 + step_index))
        pairs = zip(self.parts["generator"].parameters(), self.parts["learner"].parameters(), strict=True)
        for average, current in pairs:
            average.lerp_(current, 1 - keep)
        seen = zip(self.parts["generator"].buffers(), self.parts["learner"].buffers(), strict=True)
        for kept, now in seen:  # running statistics of norms
            if kept.is_floating_point():
                kept.lerp_(now, 1 - keep)
            else:
                kept.copy_(now)

    def _optimiser(self, names: list[str]) -> torch.optim.Optimizer:
        parameters = [p for name in names for p in self.parts[name].parameters()]
        return torch.optim.Adam(parameters, self._rules.learning_rate, betas=(0.5, 0.999), fused=True)

    def _placed(self, part: nn.Module) -> nn.Module:
        moved: nn.Module = part.to(device=self.device).to(memory_format=self.layout)  # type: ignore[call-overload]
        return moved


def _halves(features: list[list[Tensor]]) -> tuple[list[list[Tensor]], list[list[Tensor]]]:
    """Split features of a (fake, real) double batch."""
    first = [[f.chunk(2)[0] for f in scale] for scale in features]
    return first, [[f.chunk(2)[1] for f in scale] for scale in features]
