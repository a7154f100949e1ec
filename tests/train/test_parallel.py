"""Two processes with half of the samples each make the weights that one process makes with all of them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lipwright.core import parallel
from lipwright.core.checkpoint import load_tensors

HERE = Path(__file__).parent


def ranks(count: int, arguments: list[str]) -> list[subprocess.CompletedProcess[str]]:
    """What `torchrun --nproc-per-node COUNT -m lipwright.train` starts, without its launcher."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(count), "OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "lipwright.train", *arguments],
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
    subprocess.run([sys.executable, str(HERE / "drawn.py"), str(packed)], check=True)
    common = [str(packed), "--budget", "6 steps", "--device", "cpu", "--seed", "3"]
    whole = ranks(1, [*common, "-o", str(tmp_path / "whole"), "--set", "batch=2"])
    halves = ranks(2, [*common, "-o", str(tmp_path / "halves"), "--set", "batch=1"])
    assert [p.returncode for p in (*whole, *halves)] == [0, 0, 0], whole[0].stderr + halves[0].stderr
    assert "renderer: 6 of 6" in halves[0].stderr
    assert "renderer:" not in halves[1].stderr, "only the first process reports"
    a, b = (load_tensors(tmp_path / name / "renderer.safetensors")[0] for name in ("whole", "halves"))
    # Biases before a norm have no gradient but rounding, which Adam blows up.
    weights = [key for key in a if key.endswith(".weight")]
    assert len(weights) > 10
    for key in weights:
        torch.testing.assert_close(b[key].float(), a[key].float(), rtol=2e-3, atol=2e-3, msg=key)


def test_alone_nothing_is_exchanged() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.tensor([1.0, 2.0])
    with parallel.group("cpu"):
        assert (parallel.world(), parallel.rank(), parallel.leads(), parallel.started()) == (1, 0, True, False)
        parallel.average_gradients([weight])
        parallel.wait()
        assert parallel.agree(0.25) == 0.25
    assert weight.grad.tolist() == [1.0, 2.0]
