"""The trained stages of `virtual-human` on pictures in memory: oracle, synthetic set, renderer.

Each stage is a function of its own, so that ablations can share an oracle and its set. Nothing here reads footage, so a
machine that only trains can run all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.crossmodal.pairs import PicturePairs
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.render.crossmodal.task import CrossModalTask
from lipwright.render.oracle.config import OracleConfig
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.oracle import Oracle
from lipwright.render.oracle.pairs import picture_pairs
from lipwright.render.oracle.quality import Draw, drawing_of
from lipwright.render.oracle.task import OracleTask
from lipwright.render.translation.perceptual import perceptual_distance
from lipwright.train.loop import Budget, TrainingRecord
from lipwright.train.run import Run

PAIRS_FOLDER = "pairs"
"""Where the synthetic set lies while the renderer learns."""
PAIRS = 4000
"""Pictures of the synthetic set at most."""
_PAIRS_SHARE = 0.08
"""Of a time budget, for drawing them."""
_PAIR_S = 0.16
"""Seconds that one takes at 256 px on one core; larger ones in proportion to their area."""


@dataclass(frozen=True)
class Plan:
    """All settings of one persona's cross-modal parts."""

    config: CrossModalConfig
    oracle: OracleConfig
    mode: str

    @property
    def synthetic(self) -> bool:
        """Whether there is anything for an oracle to draw."""
        return self.config.augmentation == "ours" and self.config.synthetic > 0


def fit_oracle(
    config: OracleConfig, data: OracleData, budget: Budget, run: Run, name: str = "oracle"
) -> tuple[Oracle, TrainingRecord]:
    """Mouth network, then the head network around it."""
    task = OracleTask(config, data, run.seed, run.device, perceptual_distance(config.head, run.device))
    record = run.loop(task, budget, name)
    return task.oracle(), record


def synthetic_set(
    draw: Draw, key: str, data: OracleData, count: int, run: Run, name: str = PAIRS_FOLDER
) -> PicturePairs:
    """`count` pictures of speech on other heads; those an interrupted run drew with the oracle `key` are kept."""
    return picture_pairs(draw, data, count, run.seed, run.work / name, key, run.progress)


def fit_crossmodal(
    config: CrossModalConfig,
    data: CrossModalData,
    pairs: PicturePairs | None,
    budget: Budget,
    run: Run,
    mode: str = "sewn",
    name: str = "renderer",
) -> tuple[CrossModalRenderer, TrainingRecord]:
    """The renderer, on real frames and on the synthetic set."""
    task = CrossModalTask(config, data, pairs, run.seed, run.device, perceptual_distance(config, run.device))
    record = run.loop(task, budget, name)
    network, geometry, train = task.network(), data.geometry, data.train
    said = network.heard(data.speech[train])
    if said is not None:
        geometry = geometry.listening(data.landmarks[train], data.pose_rad[train], said)
    return CrossModalRenderer(network, geometry, mode, run.device), record


def drawn_set(
    plan: Plan, data: OracleData, limit: Budget, run: Run, given: tuple[Draw, str] | None = None
) -> tuple[PicturePairs, dict[str, TrainingRecord], float]:
    """The synthetic set, its oracle's record, and the seconds of a time budget that both took.

    Args: `given` (how to draw, its key) in place of a trained oracle.
    """
    records: dict[str, TrainingRecord] = {}
    if given is None:
        budget = Budget(limit.seconds * plan.config.oracle_share if limit.seconds else None, limit.steps)
        oracle, records["oracle"] = fit_oracle(plan.oracle, data, budget, run)
        given = drawing_of(oracle, data), oracle.fingerprint()
    pairs = synthetic_set(*given, data, pairs_of(plan.config, limit), run)
    trained_s = records["oracle"].seconds if records else 0.0
    return pairs, records, trained_s + (_PAIRS_SHARE * limit.seconds if limit.seconds else 0.0)


def pairs_of(config: CrossModalConfig, limit: Budget) -> int:
    """How many pictures a synthetic set has: what `_PAIRS_SHARE` of the time draws, or as many as the steps see."""
    if limit.seconds is None:
        return int(np.clip((limit.steps or 1) * config.batch, 8, PAIRS))
    each_s = _PAIR_S * (config.size / 256) ** 2
    return int(np.clip(_PAIRS_SHARE * limit.seconds / each_s, 100, PAIRS))


def left_of(limit: Budget, spent_s: float) -> Budget:
    """What a budget has left; steps are counted for each part."""
    return Budget(limit.seconds - spent_s if limit.seconds else None, limit.steps)
