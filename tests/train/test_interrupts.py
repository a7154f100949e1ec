"""Ctrl-C during training: the step ends, the checkpoint is exact, and nothing is lost."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lipwright.core.checkpoint import save_tensors
from lipwright.core.errors import OutputError
from lipwright.train.interrupts import held_back
from lipwright.train.loop import Budget, Loop


class Interrupted:
    """Fits y = 3x; a signal arrives in the middle of one step, between gradient and update."""

    def __init__(self, number: int = signal.SIGINT, at: int | None = None) -> None:
        torch.manual_seed(0)
        self.net = nn.Linear(4, 1)
        self.adam = torch.optim.Adam(self.net.parameters(), 0.01)
        self.number, self.at = number, at

    def modules(self) -> Mapping[str, nn.Module]:
        return {"net": self.net}

    def optimisers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {"adam": self.adam}

    def budget_fraction(self, fraction: float) -> None:
        pass

    def step(self, step_index: int) -> dict[str, float]:
        x = torch.from_numpy(np.random.default_rng(step_index).normal(size=(8, 4)).astype(np.float32))
        loss = ((self.net(x)[:, 0] - 3 * x.sum(1)) ** 2).mean()
        self.adam.zero_grad()
        loss.backward()
        if step_index == self.at:
            os.kill(os.getpid(), self.number)
        self.adam.step()
        return {"loss": float(loss.detach())}

    def validate(self) -> dict[str, float]:
        return {"score": float((self.net.weight.detach() - 3).abs().mean())}


@contextmanager
def terminating() -> Iterator[None]:
    """As the command line does: SIGTERM unwinds."""

    def leave(*args: object) -> None:
        raise SystemExit(143)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_nothing_is_lost(tmp_path: Path, number: int, error: type[BaseException]) -> None:
    """A frozen clock: no checkpoint but the one that the signal asks for."""
    handlers = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    whole = Interrupted()
    Loop(whole, tmp_path / "whole", Budget(steps=40), clock=lambda: 0.0).run()
    with terminating(), pytest.raises(error):
        Loop(Interrupted(number, at=17), tmp_path / "parts", Budget(steps=40), clock=lambda: 0.0).run()
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == handlers
    resumed = Interrupted()
    steps: list[float] = []
    loop = Loop(
        resumed, tmp_path / "parts", Budget(steps=40), "train", None, lambda *a: steps.append(a[2]), lambda: 0.0
    )
    assert loop.run(resume=True).steps == 40
    assert min(steps) == 19, "the eighteenth step was kept"
    for a, b in zip(whole.net.parameters(), resumed.net.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_signal_in_the_last_step_is_obeyed_after_saving(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        Loop(Interrupted(at=4), tmp_path, Budget(steps=5), clock=lambda: 0.0).run()
    assert Loop(Interrupted(), tmp_path, Budget(steps=5), clock=lambda: 0.0).run(resume=True).steps == 5


def test_a_second_signal_does_not_wait() -> None:
    with held_back() as held:
        os.kill(os.getpid(), signal.SIGINT)
        assert held.wanted
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            held.now()
        held.now()


def test_errors_inside_are_not_hidden() -> None:
    def work() -> None:
        with held_back():
            os.kill(os.getpid(), signal.SIGINT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()


def test_threads_train_without_handlers(tmp_path: Path) -> None:
    steps: list[int] = []
    work = threading.Thread(target=lambda: steps.append(Loop(Interrupted(), tmp_path, Budget(steps=3)).run().steps))
    work.start()
    work.join()
    assert steps == [3]


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond 4 MB: the system's own error, as on a full disk.

    It holds for every file of the process, so it must be more than what a log of all tests has.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def big(path: Path) -> None:
    task = Interrupted()
    task.net.register_buffer("ballast", torch.zeros(2_000_000))
    Loop(task, path, Budget(steps=1)).run()


@pytest.mark.parametrize("write", [big, lambda p: save_tensors(p / "w.safetensors", {"x": torch.zeros(2_000_000)})])
def test_a_full_disk_is_one_sentence(tmp_path: Path, small_disk: None, write: Callable[[Path], None]) -> None:
    with pytest.raises(OutputError, match="cannot write") as caught:
        write(tmp_path)
    assert "\n" not in str(caught.value)
    assert "free some space" in str(caught.value)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()], "no half-written file"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        Loop(Interrupted(), tmp_path / "file" / "run", Budget(steps=1)).run()
