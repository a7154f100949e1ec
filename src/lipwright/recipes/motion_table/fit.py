"""Training of one row to early stopping, timed."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lipwright.motion.config import MotionConfig
from lipwright.motion.data import MotionData
from lipwright.motion.model import CascadeMotion
from lipwright.motion.scores import N_MOUTH
from lipwright.motion.task import MotionTask
from lipwright.recipes.motion_table.rows import Training


@dataclass(frozen=True)
class Fitted:
    """A trained row; the weights of its best epoch."""

    model: CascadeMotion
    epochs: int
    best_epoch: int
    steps: int
    seconds: float
    """Wall time to early stopping, validation included."""
    cpu_s: float
    """Processor time: hardly moves when the machine is busy."""
    parameters: int


def fit(
    config: MotionConfig,
    data: MotionData,
    seed: int,
    training: Training,
    tell: Callable[[int], None] = lambda epoch: None,
) -> Fitted:
    """Train until `patience` epochs bring no better mouth on the validation stretches.

    Where a discriminator joins later, they count from there on: before that there is nothing of it to be measured.
    """
    began, busy = time.perf_counter(), time.process_time()
    task = MotionTask(config, data, seed, training.device)
    per_epoch, step = task.steps_per_epoch(), 0
    best, best_epoch, kept = float("inf"), 0, copy.deepcopy(task.cascade.state_dict())
    for epoch in range(1, training.epochs + 1):
        for _ in range(per_epoch):
            task.budget_fraction(step / (training.epochs * per_epoch))
            task.step(step)
            step += 1
        error = held_out(task.model(), data)
        if task.complete and error < best:
            best, best_epoch, kept = error, epoch, copy.deepcopy(task.cascade.state_dict())
        tell(epoch)
        if task.complete and epoch - best_epoch >= training.patience:
            break
    task.cascade.load_state_dict(kept)
    spent = time.perf_counter() - began, time.process_time() - busy
    count = sum(p.numel() for p in task.cascade.parameters())
    return Fitted(task.model(), epoch, best_epoch, step, *spent, count)


def held_out(model: CascadeMotion, data: MotionData) -> float:
    """Mean squared error of the mouth on the validation stretches, per coordinate."""
    parts, sizes = [], []
    for clip in data.validation:
        seen = clip.weight > 0
        off = (model.predict(clip.features, clip.conditions) - clip.landmarks)[seen, :N_MOUTH]
        parts.append(float((off.astype(np.float64) ** 2).mean()))
        sizes.append(int(seen.sum()))
    return float(np.average(parts, weights=sizes))
