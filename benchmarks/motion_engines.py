"""Five minutes of speech to landmarks in one pass: the cascade of paper B in torch, OpenVINO and ONNX Runtime.

    python benchmarks/motion_engines.py --json benchmarks/results/motion-engines.json

7500 frames of random features of the right shapes through the cascade of 128 channels (paper: 0.043 s for its
temporal convolutions, 7.0 and 12.4 s for its recurrent baselines) and through that of `instant`. `CPU s` is processor
time, which other work on the machine hardly moves; `wall s` the shortest of the runs. `threads` of each pass.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from lipwright.cli.results import cell, command_line, result, table
from lipwright.core.contracts import F32
from lipwright.core.files import write_json
from lipwright.engines.onnx_file import write_onnx
from lipwright.engines.parity import difference, reference
from lipwright.engines.running import OnnxRuntime, OpenVino, cores
from lipwright.motion.cascade import Cascade
from lipwright.motion.config import INSTANT, PAPER
from lipwright.motion.export import cascade_network

COLUMNS = ["cascade", "runtime", "threads", "CPU s", "to torch", "wall s", "max px", "rms px"]
FRAMES = 7500
CASCADES = {"paper, 128 channels": PAPER, "instant, 64 channels": INSTANT}


def timed(run: Callable[..., Any], inputs: tuple[F32, ...], count: int) -> tuple[float, float]:
    """Least processor time and least wall time of `count` passes after one."""
    run(*inputs)
    spent, took = [], []
    for _ in range(count):
        busy, began = time.process_time(), time.perf_counter()
        run(*inputs)
        spent.append(time.process_time() - busy)
        took.append(time.perf_counter() - began)
    return min(spent), min(took)


def network(name: str) -> Cascade:
    """With weights that move the landmarks by pixels: as they start, all outputs are nearly nothing."""
    torch.manual_seed(0)
    model = Cascade(CASCADES[name].cascade()).eval()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter)
    return model


def rows(name: str, folder: Path, frames: int, count: int) -> Iterator[list[object]]:
    of = cascade_network(network(name))
    inputs = of.example(0, frames)
    wanted, path = reference(of, inputs), folder / f"{CASCADES[name].width}.onnx"
    write_onnx(of, path)
    ways: list[tuple[str, int, Callable[[], Callable[..., Any]]]] = [("torch", 1, lambda: of.plain)]
    for precision in ("fp32", "bf16") if OpenVino(path, "bf16").precision == "bf16" else ("fp32",):
        for threads in dict.fromkeys([1, cores()]):
            ways.append((f"OpenVINO {precision}", threads, lambda p=precision, t=threads: OpenVino(path, p, t, 1)))
    ways.append(("ONNX Runtime fp32", 1, lambda: OnnxRuntime(path)))
    first = None
    for label, threads, make in ways:
        run = make()
        error = difference(run(*inputs), wanted, of)
        spent, took = timed(run, inputs, count)
        first = spent if first is None else first
        yield [name, label, threads, spent, first / spent, took, error.greatest, error.rms]


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--frames", type=int, default=FRAMES)
    p.add_argument("--count", type=int, default=15, help="timed passes")
    p.add_argument("--json", type=Path)
    return p


def main() -> None:
    given = parser().parse_args()
    torch.set_num_threads(1)
    print(" | ".join(COLUMNS))
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name in CASCADES:
            for row in rows(name, Path(folder), given.frames, given.count):
                print(" | ".join(map(cell, row)), flush=True)
                found.append(row)
    if given.json is not None:
        made = command_line("benchmarks/motion_engines.py", sys.argv[1:])
        write_json(given.json, result(made, [table("", COLUMNS, found)]))


if __name__ == "__main__":
    main()
