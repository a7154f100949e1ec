"""Two processes with half of the samples each make the weights that one process makes with all of them."""

from __future__ import annotations

import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lipwright.core import parallel
from lipwright.core.checkpoint import load_tensors
from lipwright.core.errors import ConfigError
from lipwright.train.loop import Budget
from lipwright.train.packed import train_packed

HERE = Path(__file__).parent


EXCHANGE = """
import torch
from lipwright.core import parallel
with parallel.group("cpu"):
    n, weights = parallel.rank(), [torch.nn.Parameter(torch.ones(2, 2)) for _ in range(3)]
    weights[0].grad, weights[2].grad = torch.full((2, 2), 1.0 + n), torch.full((2, 2), 10.0 * n)
    parallel.average_gradients(weights)
    assert torch.equal(weights[0].grad, torch.full((2, 2), 1.5))
    assert weights[1].grad is None
    assert torch.equal(weights[2].grad, torch.full((2, 2), 5.0))
    assert parallel.agree(0.25 + n) == 0.25
    assert (parallel.world(), parallel.leads()) == (2, n == 0)
    parallel.wait()
assert parallel.world() == 1
"""


def ranks(count: int, arguments: list[str]) -> list[subprocess.CompletedProcess[str]]:
    """What `torchrun --nproc-per-node COUNT ARGUMENTS` starts, without its launcher."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(count), "OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, **shared, "RANK": str(n), "LOCAL_RANK": str(n)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(count)
    ]
    told = [p.communicate(timeout=300)[1] for p in running]
    return [subprocess.CompletedProcess(p.args, p.returncode, "", t) for p, t in zip(running, told, strict=True)]


@pytest.mark.slow
def test_two_halves_are_one_whole(tmp_path: Path) -> None:
    packed = tmp_path / "p.safetensors"
    runpy.run_path(str(HERE / "drawn.py"))["write"](packed)
    train_packed(packed, tmp_path / "whole", Budget(steps=6), "cpu", {"batch": "2"}, seed=3)
    common = [str(packed), "--budget", "6 steps", "--device", "cpu", "--seed", "3"]
    halves = ranks(2, ["-m", "lipwright.train", *common, "-o", str(tmp_path / "halves"), "--set", "batch=1"])
    assert [p.returncode for p in halves] == [0, 0], halves[0].stderr
    assert "renderer: 6 of 6" in halves[0].stderr
    assert "renderer:" not in halves[1].stderr, "only the first process reports"
    train_packed(packed, tmp_path / "half", Budget(steps=6), "cpu", {"batch": "1"}, seed=3)
    whole, both, one = (learned(tmp_path / name) for name in ("whole", "halves", "half"))
    # Sums in another order, scaled up by Adam where gradients are nearly zero; half of the samples differ by far more.
    assert (both - whole).norm() < 0.25 * (one - whole).norm()


@pytest.mark.slow
def test_gradients_become_their_mean_and_the_first_process_decides() -> None:
    done = ranks(2, ["-c", EXCHANGE])
    assert [p.returncode for p in done] == [0, 0], done[0].stderr + done[1].stderr


def learned(folder: Path) -> torch.Tensor:
    """All weights of a renderer but biases, whose gradient before a norm is rounding alone."""
    tensors, _ = load_tensors(folder / "renderer.safetensors")
    return torch.cat([v.float().ravel() for k, v in tensors.items() if k.endswith(".weight")])


def test_alone_nothing_is_exchanged() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.tensor([1.0, 2.0])
    with parallel.group("cpu"):
        assert (parallel.world(), parallel.rank(), parallel.leads(), parallel.started()) == (1, 0, True, False)
        parallel.average_gradients([weight])
        parallel.wait()
        assert parallel.agree(0.25) == 0.25
    assert weight.grad.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"WORLD_SIZE": "2", "RANK": "0"}, "MASTER_PORT is not set"),
        ({"WORLD_SIZE": "two", "RANK": "0"}, "WORLD_SIZE is two"),
        ({"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "here", "MASTER_PORT": "x"}, "MASTER_PORT is x"),
    ],
)
def test_half_set_variables_of_torchrun_are_named(
    told: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    assert not parallel.started()
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=says):
        parallel.started()
