"""What every training of pictures by a `Game` is to `train.loop`, whatever is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

import torch
from torch import nn

from lipwright.core.contracts import U8
from lipwright.render.translation.game import Game
from lipwright.render.translation.pace import Pace


class Judged(Protocol):
    """How the network does on frames it does not learn from."""

    def scores(self) -> dict[str, float]:
        """`score` (lower is better), PSNR of mouths in dB and sharpness over real."""

    def sheet(self) -> U8:
        """Contact sheet: real, generated, difference."""


J = TypeVar("J", bound=Judged)


class GameTask(Generic[J]):
    """A game, its pace and its held-out frames; a task adds what a step is.

    Args: `held_out` judges the running average `generator` of the game.
    """

    kept = ("generator",)
    """The modules that are a result; the others matter only while training."""

    def __init__(self, game: Game, pace: Pace, held_out: J) -> None:
        self._game, self._pace, self._held_out = game, pace, held_out

    def modules(self) -> Mapping[str, nn.Module]:
        """Everything with weights: `generator` (the running average, to keep), `learner`, discriminators."""
        return self._game.parts

    def optimisers(self) -> Mapping[str, torch.optim.Optimizer]:
        """One per side of the game."""
        return self._game.optimisers

    def speed(self) -> dict[str, float]:
        """See `Pace.speed`."""
        return self._pace.speed()

    def validate(self) -> dict[str, float]:
        """See `Judged.scores`."""
        return self._held_out.scores()

    def preview(self) -> U8:
        """See `Judged.sheet`."""
        return self._held_out.sheet()
