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
from lipwright.render.oracle.quality import Draw, drawing_of, oracle_quality
from lipwright.render.oracle.task import JUDGED, OracleTask
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


@dataclass(frozen=True)
class Drawer:
    """Somebody who draws people saying what they did not say."""

    draw: Draw
    key: str
    """Names what is drawn: a set drawn with another key is drawn again."""
    name: str


def fit_oracle(
    config: OracleConfig, data: OracleData, budget: Budget, run: Run, name: str = "oracle", rival: float | None = None
) -> tuple[Oracle, TrainingRecord]:
    """Mouth network, then the head network around it; no head where the mouth does not beat the score `rival`."""
    task = OracleTask(config, data, run.seed, run.device, perceptual_distance(config.head, run.device), rival)
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
    return CrossModalRenderer(network, geometry, mode, run.device, task.crisp()), record


def kind_of(oracle: str) -> str:
    """The `OracleConfig.kind` of a `CrossModalConfig.oracle`: the best of two is trained as a chain."""
    return "chain" if oracle == "best" else oracle


def drawn_set(
    plan: Plan, data: OracleData, limit: Budget, run: Run, memory: Drawer | None = None
) -> tuple[PicturePairs, dict[str, TrainingRecord], float]:
    """The synthetic set, its oracle's record, and the seconds of a time budget that both took.

    Args: `memory` in place of a trained oracle, or with the oracle 'best' against it: whose held-out mouths are the
        better draws the set. The record's `about` says who drew, and how both did. A network that had too little time
        draws a mean of mouths, and whoever learns from it learns that; the memory shows real ones, but only those that
        were seen.
    """
    records: dict[str, TrainingRecord] = {}
    if memory is not None and plan.oracle.kind == "memory":
        drawer = memory
    else:
        budget = Budget(limit.seconds * plan.config.oracle_share if limit.seconds else None, limit.steps)
        rival = None if memory is None else mouths_of(memory, data)
        score = None if rival is None else rival["mouth_score"]
        oracle, record = fit_oracle(plan.oracle, data, budget, run, rival=score)
        drawer, records["oracle"] = Drawer(drawing_of(oracle, data), oracle.fingerprint(), plan.oracle.kind), record
        if memory is not None and rival is not None:
            drawer, record.about["held_out"] = better(drawer, memory, rival, data)
        record.about["drawn_by"] = drawer.name
    pairs = synthetic_set(drawer.draw, drawer.key, data, pairs_of(plan.config, limit), run)
    trained_s = records["oracle"].seconds if records else 0.0
    return pairs, records, trained_s + (_PAIRS_SHARE * limit.seconds if limit.seconds else 0.0)


def better(
    own: Drawer, memory: Drawer, rival: dict[str, float], data: OracleData
) -> tuple[Drawer, dict[str, dict[str, float]]]:
    """Who draws held-out mouths better, and how both did; `rival` is what the memory's were judged to be."""
    judged = mouths_of(own, data)
    return own if judged["mouth_score"] < rival["mouth_score"] else memory, {own.name: judged, memory.name: rival}


def mouths_of(drawer: Drawer, data: OracleData) -> dict[str, float]:
    """How somebody draws held-out mouths; the score is lower for better."""
    scores = oracle_quality(drawer.draw, data, data.held_out(JUDGED))
    return {key: scores[key] for key in ("mouth_score", "mouth_psnr_db", "mouth_sharpness")}


def pairs_of(config: CrossModalConfig, limit: Budget) -> int:
    """How many pictures a synthetic set has: what `_PAIRS_SHARE` of the time draws, or as many as the steps see."""
    if limit.seconds is None:
        return int(np.clip((limit.steps or 1) * config.batch, 8, PAIRS))
    each_s = _PAIR_S * (config.size / 256) ** 2
    return int(np.clip(_PAIRS_SHARE * limit.seconds / each_s, 100, PAIRS))


def left_of(limit: Budget, spent_s: float) -> Budget:
    """What a budget has left; steps are counted for each part."""
    return Budget(limit.seconds - spent_s if limit.seconds else None, limit.steps)
