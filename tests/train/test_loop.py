from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.core.progress import Silent
from lipwright.train.loop import Budget, Loop


class Line:
    """Fits y = 3x with dropout, so that a wrong random state would show."""

    def __init__(self, die_at: int | None = None) -> None:
        torch.manual_seed(0)
        self.net = nn.Linear(4, 1)
        self.adam = torch.optim.Adam(self.net.parameters(), 0.01)
        self.die_at, self.fractions = die_at, list[float]()

    def modules(self) -> Mapping[str, nn.Module]:
        return {"net": self.net}

    def optimisers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {"adam": self.adam}

    def budget_fraction(self, fraction: float) -> None:
        self.fractions.append(fraction)

    def step(self, step_index: int) -> dict[str, float]:
        if step_index == self.die_at:
            raise KeyboardInterrupt
        x = torch.from_numpy(np.random.default_rng(step_index).normal(size=(8, 4)).astype(np.float32))
        loss = ((self.net(x)[:, 0] - 3 * x.sum(1)) ** 2).mean()
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        return {"loss": float(loss.detach())}

    def validate(self) -> dict[str, float]:
        return {"score": float((self.net.weight.detach() - 3).abs().mean())}


def ticking(step: float = 1.0) -> Callable[[], float]:
    now = [0.0]

    def clock() -> float:
        now[0] += step
        return now[0]

    return clock


def test_steps_are_counted_and_the_best_is_kept(tmp_path: Path) -> None:
    task = Line()
    record = Loop(task, tmp_path, Budget(steps=120)).run()
    assert record.steps == 120
    assert record.best_step == 120
    assert record.validation["score"] == pytest.approx(task.validate()["score"])
    assert len(record.history) >= 12
    assert task.fractions[0] == 0
    assert max(task.fractions) < 1


class Joined(Line):
    """Something joins half way; the pictures before it would be better."""

    @property
    def complete(self) -> bool:
        return self.fractions[-1] >= 0.5

    def validate(self) -> dict[str, float]:
        return {"score": self.fractions[-1]}


def test_what_is_best_is_chosen_once_everything_takes_part(tmp_path: Path) -> None:
    record = Loop(Joined(), tmp_path, Budget(steps=120)).run()
    assert record.history[0]["score"] < 0.5
    assert 60 < record.best_step <= 70
    assert record.validation["score"] >= 0.5


class Never(Line):
    """Something that never joins."""

    complete = False


def test_where_it_never_does_the_last_is_kept(tmp_path: Path) -> None:
    record = Loop(Never(), tmp_path, Budget(steps=24)).run()
    assert record.best_step == 24
    assert record.validation


def test_an_interrupted_run_resumes_to_the_same_weights(tmp_path: Path) -> None:
    whole = Line()
    Loop(whole, tmp_path / "whole", Budget(steps=60)).run()
    dying = Line(die_at=37)
    with pytest.raises(KeyboardInterrupt):
        Loop(dying, tmp_path / "parts", Budget(steps=60), clock=ticking(20.0)).run()
    resumed = Line()
    record = Loop(resumed, tmp_path / "parts", Budget(steps=60)).run(resume=True)
    assert record.steps == 60
    assert resumed.fractions[0] > 0.5, "it went on, it did not start again"
    for a, b in zip(whole.net.parameters(), resumed.net.parameters(), strict=True):
        assert torch.equal(a, b)


def test_time_budgets_end_and_count_all_sittings(tmp_path: Path) -> None:
    task = Line()
    record = Loop(task, tmp_path, Budget(seconds=50), clock=ticking()).run()
    assert 10 < record.steps < 50
    again = Loop(Line(), tmp_path, Budget(seconds=50), clock=ticking()).run(resume=True)
    assert again.steps == record.steps, "the time was already spent"


def test_a_foreign_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.checkpoint").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match="cannot be resumed"):
        Loop(Line(), tmp_path, Budget(steps=3)).run(resume=True)


class Game(Line):
    """Two networks, of which one is the result, and figures of its own."""

    kept = ("net",)

    def modules(self) -> Mapping[str, nn.Module]:
        return {"net": self.net, "judge": self.judge}

    def __init__(self) -> None:
        super().__init__()
        self.judge = nn.Linear(1, 1)

    def speed(self) -> dict[str, float]:
        return {"step_ms": 12.0, "loader_fps": 345.0}


def test_only_results_are_kept_twice_and_speed_is_recorded_and_shown(tmp_path: Path) -> None:
    notes: list[str] = []

    class Notes(Silent):
        def update(self, done: float, note: str = "") -> None:
            notes.append(note)

    loop = Loop(Game(), tmp_path, Budget(steps=3), progress=Notes())
    assert loop.run().speed == {"step_ms": 12.0, "loader_fps": 345.0}
    assert notes[-1].startswith("step 3, loss ")
    assert notes[-1].endswith(", step_ms 12, loader_fps 345")
    saved = torch.load(tmp_path / "train.checkpoint", weights_only=True)
    assert (set(saved["best"]), set(saved["modules"])) == ({"net"}, {"net", "judge"})


def test_judging_takes_a_small_part_of_a_time_budget(tmp_path: Path) -> None:
    now = [0.0]

    class Judged(Line):
        def validate(self) -> dict[str, float]:
            now[0] += 100
            return super().validate()

    def clock() -> float:
        now[0] += 1
        return now[0]

    record = Loop(Judged(), tmp_path, Budget(seconds=3000), clock=clock).run()
    assert 2 <= len(record.history) <= 4
    steps = Loop(Judged(), tmp_path, Budget(steps=50), "steps", clock=clock).run()
    assert len(steps.history) == 12, "steps are judged as often as ever"


class Slow(Line):
    """Takes eight minutes to write a checkpoint."""

    def __init__(self, now: list[float]) -> None:
        super().__init__()
        self.now, self.writes = now, list[float]()

    def optimisers(self) -> Mapping[str, torch.optim.Optimizer]:
        self.writes.append(self.now[0])
        self.now[0] += 480
        return super().optimisers()


def test_checkpoints_that_take_long_are_written_rarely(tmp_path: Path) -> None:
    now = [0.0]
    task = Slow(now)

    def clock() -> float:
        now[0] += 1
        return now[0]

    Loop(task, tmp_path, Budget(seconds=30_000), clock=clock).run()
    spent = 480 * len(task.writes) / now[0]
    assert len(task.writes) >= 3
    assert spent < 0.08


@pytest.mark.parametrize(
    ("text", "seconds", "steps"),
    [("90s", 90, None), ("20m", 1200, None), ("1.5h", 5400, None), ("400 steps", None, 400)],
)
def test_budgets_parse(text: str, seconds: float | None, steps: int | None) -> None:
    assert Budget.parse(text) == Budget(seconds, steps)


@pytest.mark.parametrize("text", ["", "soon", "0m", "-3s", "20"])
def test_bad_budgets_say_how_to_write_them(text: str) -> None:
    with pytest.raises(ConfigError, match="write 90s, 20m"):
        Budget.parse(text)
