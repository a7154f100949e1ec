"""What is trained when: learning rate, adversaries, and the local enhancer's coarse-to-fine stages.

Everything is a function of the share of the budget that is spent, so a resumed run is where it was.
"""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from lipwright.render.translation.config import TranslationConfig


class Stage(Enum):
    """Which part of the generator learns."""

    COARSE = "coarse"
    """The global part alone, at half size."""
    ENHANCER = "enhancer"
    """The enhancer; the global part is fixed."""
    WHOLE = "whole"
    """Everything."""


class Scheduled(Protocol):
    """What of a config its schedules need."""

    @property
    def learning_rate(self) -> float:
        """At the start."""

    @property
    def gan_start(self) -> float:
        """Fraction of the budget without discriminators."""

    @property
    def gan_full(self) -> float:
        """Fraction at which they have their full weight."""

    @property
    def adversarial(self) -> bool:
        """Whether they take part at all."""


def stage(config: TranslationConfig, fraction: float) -> Stage:
    """The stage at this share of the budget, in [0, 1].

    Source: pix2pixHD section 3.1, and `niter_fix_global` of its published training.
    """
    if config.generator != "local" or fraction >= config.coarse_share + config.fixed_share:
        return Stage.WHOLE
    return Stage.COARSE if fraction < config.coarse_share else Stage.ENHANCER


def learning_rate(config: Scheduled, fraction: float) -> float:
    """Constant for half of the budget, then linear to a hundredth (pix2pixHD, whose end is zero)."""
    return config.learning_rate * max(min(1.0, 2.0 * (1.0 - fraction)), 0.01)


def adversarial_weight(config: Scheduled, fraction: float) -> float:
    """0 until `gan_start`, 1 from `gan_full`, linear between."""
    if not config.adversarial:
        return 0.0
    span = max(config.gan_full - config.gan_start, 1e-6)
    return min(max((fraction - config.gan_start) / span, 0.0), 1.0)
