"""One training step of the oracle (for train.loop): first the mouth network, then the head network around it."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor, nn

from lipwright.core import parallel
from lipwright.core.contracts import U8
from lipwright.core.errors import ConfigError
from lipwright.core.prefetch import Prefetch
from lipwright.render.oracle.config import OracleConfig
from lipwright.render.oracle.data import HeadBatch, MouthBatch, OracleData
from lipwright.render.oracle.drawing import DRAWING_CHANNELS
from lipwright.render.oracle.oracle import Oracle, oracle_networks, rgb8
from lipwright.render.oracle.outpaint import Outpainting
from lipwright.render.oracle.quality import drawing_of, mouth_box, oracle_quality, oracle_sheet
from lipwright.render.translation.config import TranslationConfig
from lipwright.render.translation.discriminators import MultiscaleDiscriminator
from lipwright.render.translation.game import Game
from lipwright.render.translation.losses import laplacian_distance, weighted_charbonnier
from lipwright.render.translation.quality import mouth_quality
from lipwright.render.translation.schedule import adversarial_weight, learning_rate

JUDGED = 24
"""Held-out frames of a validation."""
_UNDRAWN = 100.0
"""Added to the score while there is no head yet: any later state is better."""


class OracleTask:
    """A person's oracle.

    Args:
        config: of the oracle; 'chain' or 'single'.
        data: the person.
        seed: of the start and of every batch; the same seed and step give the same sample.
        device: where networks run.
        perceptual: a distance of two (B, 3, H, W) batches, added when given (`perceptual.perceptual_distance`).
        rival: `mouth_score` of somebody else on `JUDGED` held-out frames: training ends where the mouth network is
            done ('chain') and has not beaten it.
    """

    def __init__(
        self,
        config: OracleConfig,
        data: OracleData,
        seed: int,
        device: str = "cpu",
        perceptual: nn.Module | None = None,
        rival: float | None = None,
    ) -> None:
        if config.kind == "memory":
            raise ConfigError("the memory as oracle learns nothing; use render.oracle.memory")
        self.config, self.data, self.seed = config, data, seed
        self.device = torch.device(device)
        self.rival, self.beaten = rival, False
        self.perceptual = perceptual.to(self.device) if perceptual is not None else None
        self._games = _games(config, seed, self.device)
        self.kept = tuple(self._games)
        self._outpainting = Outpainting(data.geometry.mouth_square, config.size, self.device)
        rank = parallel.rank()
        self._mouths = Prefetch(lambda step: data.mouth_batch(config, seed, step, rank))
        self._heads = Prefetch(lambda step: data.head_batch(config, seed, step, rank))
        self._stage, self._gan = "mouth", 0.0
        self._taken, self._spent_s = 0, 0.0
        self.budget_fraction(0.0)

    def modules(self) -> dict[str, nn.Module]:
        """Everything with weights: `mouth` and `head` (running averages, to keep), learners, discriminators."""
        return {
            name if part == "generator" else f"{name}_{part}": module
            for name, game in self._games.items()
            for part, module in game.parts.items()
        }

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """One per side of each game."""
        return {f"{name}_{side}": of for name, game in self._games.items() for side, of in game.optimisers.items()}

    def oracle(self) -> Oracle:
        """What has been trained so far, ready to draw."""
        networks = {name: game.parts["generator"] for name, game in self._games.items()}
        return Oracle(self.config, networks, self.data.geometry, str(self.device))

    def budget_fraction(self, fraction: float) -> None:
        """Set stage, rates and adversarial weight for this much of the budget spent, in [0, 1]."""
        share = self.config.mouth_share if self.config.kind == "chain" else 0.0
        self._stage = "mouth" if fraction < share else "head"
        within = fraction / share if self._stage == "mouth" else (fraction - share) / max(1 - share, 1e-6)
        rules = self._rules
        self._games[self._stage].rate(learning_rate(rules, within))
        self._gan = adversarial_weight(rules, within)

    def step(self, step_index: int) -> dict[str, float]:
        """One step of the network whose turn it is; losses by name."""
        began = time.perf_counter()
        told = self._mouth_step(step_index) if self._stage == "mouth" else self._head_step(step_index)
        self._taken, self._spent_s = self._taken + 1, self._spent_s + time.perf_counter() - began
        return told

    def speed(self) -> dict[str, float]:
        """Milliseconds a step."""
        return {"step_ms": 1000 * self._spent_s / max(self._taken, 1)}

    def validate(self) -> dict[str, float]:
        """`score` (lower is better), mouth and head PSNR in dB and sharpness over real on held-out frames."""
        if self._stage == "mouth":
            scores = self._mouth_scores()
            return scores | {"score": scores["score"] + _UNDRAWN}
        scores = oracle_quality(drawing_of(self.oracle(), self.data), self.data, self.data.held_out(JUDGED))
        if self.rival is not None and self.config.kind == "chain":
            self.beaten = scores["mouth_score"] > self.rival  # heads are learnt from now on: mouths stay as they are
        return scores

    def preview(self) -> U8:
        """Contact sheet of held-out frames: real, generated, difference; head and mouth."""
        return oracle_sheet(drawing_of(self.oracle(), self.data), self.data)

    @property
    def _rules(self) -> TranslationConfig:
        rules: TranslationConfig = getattr(self.config, self._stage)
        return rules

    def _mouth_step(self, step_index: int) -> dict[str, float]:
        game = self._games["mouth"]
        batch = self._mouths[step_index].to(self.device, game.layout)
        fake = game.learn(batch.drawing)
        return self._learn(game, fake, batch.target, batch.drawing, batch.weight, step_index)

    def _head_step(self, step_index: int) -> dict[str, float]:
        game = self._games["head"]
        batch = self._heads[step_index].to(self.device, game.layout)
        if self.config.kind == "single":
            fake = game.learn(batch.drawing)
            return self._learn(game, fake, batch.target, batch.drawing, batch.weight, _steps(game))
        given = self._outpainting.given(self._shown_mouths(batch))
        raw = game.learn(torch.cat([batch.drawing, given], 1))
        weight = (1 - self._outpainting.inner).expand(len(raw), -1, -1, -1)  # inside, nothing of `raw` is shown
        fake = self._outpainting.joined(given, raw)
        return self._learn(game, fake, batch.target, batch.drawing, weight, _steps(game))

    def _shown_mouths(self, batch: HeadBatch) -> Tensor:
        """The real mouths, or those the mouth network draws: what the head will see once all is trained."""
        mouth: MouthBatch = batch.mouth
        if not bool(batch.generated.any()):
            return mouth.target
        drawn = self._games["mouth"].draw(mouth.drawing)
        return torch.where(batch.generated[:, None, None, None], drawn, mouth.target)

    def _learn(
        self, game: Game, fake: Tensor, target: Tensor, drawing: Tensor, weight: Tensor, taken: int
    ) -> dict[str, float]:
        """One step of a game towards `target`."""
        c = self._rules
        losses = {"pixel": c.pixel_weight * weighted_charbonnier(fake, target, weight)}
        if c.laplacian_weight > 0:
            losses["laplacian"] = c.laplacian_weight * laplacian_distance(fake, target, weight)
        if self.perceptual is not None:
            losses["perceptual"] = c.perceptual_weight * self.perceptual(fake, target)
        verdicts: dict[str, Tensor] = {}
        if self._gan > 0:
            pair = torch.cat([drawing, fake], 1), torch.cat([drawing, target], 1)
            verdicts, adversarial = game.play([("", *pair)], self._gan)
            losses |= adversarial
        return game.move(taken, losses, verdicts)

    def _mouth_scores(self) -> dict[str, float]:
        """Of the mouth network alone, on whole mouth pictures' boxes."""
        chosen = self.data.held_out(JUDGED)
        fakes, reals = [], []
        for i in chosen:
            drawing = self.data.plain(np.array([i]), self.config).mouth.drawing.to(self.device)
            where = mouth_box(self.data, int(i))
            fakes.append(rgb8(self._games["mouth"].draw(drawing))[0][where])
            reals.append(self.data.mouth(int(i))[where])
        return mouth_quality(fakes, reals)


def _games(config: OracleConfig, seed: int, device: torch.device) -> dict[str, Game]:
    """All networks that learn, the same for the same seed; the global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        learners = oracle_networks(config)
        games = {}
        for name, learner in learners.items():
            rules: TranslationConfig = getattr(config, name)
            judge = MultiscaleDiscriminator(DRAWING_CHANNELS + 3, rules.ndf, rules.n_scales)
            games[name] = Game(rules, {"learner": learner}, {"discriminator": judge}, device)
    return games


def _steps(game: Game) -> int:
    """Steps this game has taken: it began later than the run."""
    state = next(iter(game.optimisers["generator"].state.values()), None)
    return 0 if state is None else int(state["step"])
