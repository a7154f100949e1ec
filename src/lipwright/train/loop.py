"""One training loop for every part: budget in time or steps, best kept, exact resume after a kill.

A task draws each batch from (seed, step) alone and the loop restores modules, optimisers and the step
number, so a run that was killed and resumed takes the same steps as one that was not. A time budget counts
training time over all sittings.
"""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Protocol

import torch
from torch import nn

from lipwright.core import parallel
from lipwright.core.contracts import U8
from lipwright.core.errors import CheckpointError, ConfigError, OutputError
from lipwright.core.files import atomic_file, make_folder
from lipwright.core.png import write_png
from lipwright.core.progress import Progress, Silent
from lipwright.train.interrupts import Interrupts, held_back

VALIDATIONS = 12
"""How often a run looks at its validation frames."""
VALIDATING = 10.0
"""Of a time budget validation takes a tenth at most: large pictures on a CPU take longer to judge than to learn."""
CHECKPOINT_S = 30.0
"""Training lost at most when the machine dies, unless writing takes long."""
WRITING = 20.0
"""A checkpoint that takes a second to write is written every 20 at most: networks for a GPU are gigabytes."""


class Task(Protocol):
    """What can be trained."""

    def modules(self) -> Mapping[str, nn.Module]:
        """Everything with weights."""

    def optimisers(self) -> Mapping[str, torch.optim.Optimizer]:
        """Everything with optimiser state."""

    def step(self, step_index: int) -> dict[str, float]:
        """One step; the batch depends on the seed and `step_index` only."""

    def validate(self) -> dict[str, float]:
        """Scores on held-out frames; `score` is lower for better."""

    def budget_fraction(self, fraction: float) -> None:
        """How much of the budget is spent, for schedules."""

    # Further, where a task has them:
    # preview() -> (H, W, 3) picture to look at, written at every validation
    # speed() -> figures of the running training, shown and recorded
    # kept: names of the modules that are its result, all when it does not say
    # beaten: True where going on cannot make it worth keeping; training ends
    # complete: False while a part of it has yet to join; what is best is chosen only from then on


@dataclass(frozen=True)
class Budget:
    """A limit in seconds of training or in steps."""

    seconds: float | None = None
    steps: int | None = None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """'90s', '20m', '1.5h' or '400 steps'; ConfigError otherwise."""
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|steps?)\s*", text)
        if not match or float(match[1]) <= 0:
            raise ConfigError(f"budget '{text}' is not a length of time or steps; write 90s, 20m, 1.5h or '400 steps'")
        if match[2].startswith("step"):
            return cls(steps=int(float(match[1])))
        return cls(seconds=float(match[1]) * {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600}[match[2]])

    def fraction(self, elapsed_s: float, step: int) -> float:
        """Share spent, in [0, 1]."""
        parts = [elapsed_s / self.seconds if self.seconds else 0.0, step / self.steps if self.steps else 0.0]
        return min(max(parts), 1.0)


@dataclass
class TrainingRecord:
    """What a run did; goes into the persona."""

    steps: int = 0
    seconds: float = 0.0
    best_step: int = 0
    validation: dict[str, float] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    speed: dict[str, float] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    """What else is worth knowing: of what was learnt from, and held-out scores of what is `shown` in the end."""


class Loop:
    """Trains one task in one folder.

    Args:
        task: what to train.
        folder: where checkpoints, previews and logs go.
        budget: when to stop.
        name: shown in progress.
        log: called with (tag, value, step), for example a TensorBoard writer's add_scalar.
    """

    def __init__(
        self,
        task: Task,
        folder: Path,
        budget: Budget,
        name: str = "train",
        progress: Progress | None = None,
        log: Callable[[str, float, int], None] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.task, self.folder, self.budget, self.name = task, folder, budget, name
        self._progress, self._log, self._clock = progress or Silent(), log, clock
        self.record = TrainingRecord()
        self._best: dict[str, Any] | None = None
        self._best_score = float("inf")
        self._file = folder / f"{name}.checkpoint"

    def run(self, resume: bool = False) -> TrainingRecord:
        """Train until the budget is spent; afterwards the task holds its best weights."""
        make_folder(self.folder)
        if resume and self._file.is_file():
            self._load()
        total = self.budget.seconds or self.budget.steps
        self._progress.start(self.name, total)
        with held_back() as stop:
            self._train(stop)
            self._validate(last=True)
            self._save()
        parallel.wait()
        self._restore_best()
        self._progress.finish()
        return self.record

    def _train(self, stop: Interrupts) -> None:
        began, saved, saving_s = self._clock() - self.record.seconds, self._clock(), 0.0
        judged_at: float | None = None
        rest_until = 0.0
        while (spent := parallel.agree(self.budget.fraction(self._clock() - began, self.record.steps))) < 1:
            if judged_at is not None:
                rest_until = spent + VALIDATING * (spent - judged_at)
                judged_at = None
            self.task.budget_fraction(spent)
            losses = self.task.step(self.record.steps)
            self.record.steps += 1
            self.record.seconds = self._clock() - began
            self._tell(losses)
            if spent >= max((len(self.record.history) + 1) / VALIDATIONS, rest_until):
                self._validate()
                if parallel.agree(float(getattr(self.task, "beaten", False))):
                    return
                judged_at = spent if self.budget.seconds else None  # a budget of steps is spent by steps alone
            now = self._clock()
            if stop.wanted or now - saved > max(CHECKPOINT_S, WRITING * saving_s):
                self._save()
                saved = self._clock()
                saving_s = saved - now
                stop.now()

    def discard(self) -> None:
        """Delete the checkpoint once its result is kept elsewhere."""
        self._file.unlink(missing_ok=True)

    def _tell(self, losses: dict[str, float]) -> None:
        done = self.record.seconds if self.budget.seconds else self.record.steps
        speed: Callable[[], dict[str, float]] | None = getattr(self.task, "speed", None)
        self.record.speed = speed() if speed is not None else {}
        figures = "".join(f", {name} {value:.0f}" for name, value in self.record.speed.items())
        self._progress.update(done, f"step {self.record.steps}, loss {sum(losses.values()):.4g}{figures}")
        if self._log is not None:
            for tag, value in losses.items():
                self._log(f"{self.name}/{tag}", value, self.record.steps)

    def _validate(self, last: bool = False) -> None:
        scores = self.task.validate()
        self.record.history.append({"step": float(self.record.steps), **scores})
        if self._log is not None:
            for tag, value in scores.items():
                self._log(f"{self.name}/validation/{tag}", value, self.record.steps)
        complete = getattr(self.task, "complete", True) or (last and self._best is None)
        if complete and scores["score"] < self._best_score:
            self._best_score = scores["score"]
            kept = getattr(self.task, "kept", self.task.modules())
            self._best = {k: copy.deepcopy(self.task.modules()[k].state_dict()) for k in kept}
            self.record.best_step, self.record.validation = self.record.steps, scores
        preview: Callable[[], U8] | None = getattr(self.task, "preview", None)
        if preview is not None and parallel.leads():
            write_png(self.folder / f"{self.name}-preview.png", preview())

    def _restore_best(self) -> None:
        for name, state in (self._best or {}).items():
            self.task.modules()[name].load_state_dict(state)

    def _save(self) -> None:
        if not parallel.leads():
            return
        state = {
            "modules": {k: m.state_dict() for k, m in self.task.modules().items()},
            "optimisers": {k: o.state_dict() for k, o in self.task.optimisers().items()},
            "best": self._best,
            "best_score": self._best_score,
            "record": json.dumps(self.record.__dict__),
        }
        with atomic_file(self._file) as temporary:
            try:
                torch.save(state, temporary)
            except RuntimeError as error:  # how it reports a full disk
                raise OutputError(
                    f"cannot write {self._file}: the disk is full or failed; free some space and resume"
                ) from error

    def _load(self) -> None:
        try:
            # weights_only refuses anything but tensors and plain containers: nothing is executed.
            state = torch.load(self._file, weights_only=True)
            for name, module in self.task.modules().items():
                module.load_state_dict(state["modules"][name])
            for name, optimiser in self.task.optimisers().items():
                optimiser.load_state_dict(state["optimisers"][name])
        except (KeyError, RuntimeError, ValueError, EOFError, UnpicklingError) as error:
            raise CheckpointError(
                f"{self._file} cannot be resumed ({str(error).splitlines()[0]}); delete it or train without --resume"
            ) from error
        self._best, self._best_score = state["best"], state["best_score"]
        self.record = TrainingRecord(**json.loads(state["record"]))
