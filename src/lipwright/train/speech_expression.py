"""Speech-to-expression out of pairs: the stage that recipe and benchmarks call."""

from __future__ import annotations

from lipwright.motion.expression_model import ExpressionConfig, ExpressionMotion
from lipwright.motion.expression_pairs import ExpressionPairs
from lipwright.motion.expression_task import ExpressionTask
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
