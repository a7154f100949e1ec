"""Speech-to-expression out of pairs: the stage that recipe and benchmarks call."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lipwright.core.contracts import MotionModel
from lipwright.face.morphable.fit import Fit
from lipwright.motion.expression_lips import FEATURES, fit_expression_lips, gap_of, quick_beside
from lipwright.motion.expression_model import ExpressionConfig, ExpressionMotion
from lipwright.motion.expression_pairs import ExpressionPairs
from lipwright.motion.expression_task import ExpressionTask, said
from lipwright.motion.model import CascadeMotion
from lipwright.train.loop import Budget, TrainingRecord
from lipwright.train.run import Run


def fit_expression(
    pairs: ExpressionPairs, config: ExpressionConfig, budget: Budget, run: Run, name: str = "expression"
) -> tuple[ExpressionMotion, TrainingRecord]:
    """Train until the budget is spent; the weights that served held-out stretches best are kept.

    Args:
        pairs: own, pseudo or both (`motion.expression_pairs.joined`), holding `config.feature`.
        config: of network and loss; `motion.expression_model.AUDIODVP` is the baseline.
        name: of checkpoint and progress; runs of one folder need different ones.
    """
    task = ExpressionTask(config, pairs, run.seed, run.device)
    record = run.loop(task, budget, name)
    return task.model(), record


def with_lips(model: ExpressionMotion, own: ExpressionPairs, fit: Fit, landmarks: MotionModel) -> ExpressionMotion:
    """`model` with lips that close on the phones that demand it and rest in silence, and less quick movement for it.

    Args:
        own: pairs of the person, the same that were learnt from, holding also `motion.expression_lips.FEATURES`.
        fit: that they are of.
        landmarks: speech to landmarks of the same person; how surely the recogniser hears closures is taken from it,
            where it knows: a fit blurs short ones.
    """
    stretches = own.stretches()
    parts = [own.frames(np.arange(a, b)) for a, b in stretches]
    phones, pauses = ([part.features[name] for part in parts] for name in FEATURES)
    lips = fit_expression_lips(
        *gap_of(fit.model, fit.coefficients.geometry),
        [part.expression for part in parts],
        [part.weight > 0 for part in parts],
        phones,
        pauses,
    )
    if isinstance(landmarks, CascadeMotion) and landmarks.statistics.lips is not None:
        lips = replace(lips, trust=max(lips.trust, landmarks.statistics.lips.trust))
    slow = model.with_quick(0.0)
    told = [said(slow, own, a, b) for a, b in stretches]
    return model.with_quick(quick_beside(lips, model.quick, told, phones, pauses)).closing(lips)
