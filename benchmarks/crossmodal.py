"""Speed of the cross-modal network on a CPU: torch eager, and its exported form in OpenVINO and ONNX Runtime.

    python benchmarks/crossmodal.py --json benchmarks/results/crossmodal.json
    python benchmarks/crossmodal.py --sizes 512 --weights renderer.safetensors

Rows are the paper's network with residual blocks at each size. `drawn` is the whole head, or the mouth square grown by
a quarter to each side: about what a sewn persona shows. `calls` says how many pictures are drawn at once and how many
threads each has. `CPU ms` is processor time a picture over all threads, which other work on the machine hardly moves;
`to torch` compares it with torch eager of the same network in the same run. `fps` is pictures a second of wall clock on
the machine as it was; `fps, quiet` what its cores allow at this processor time (cores / CPU time). `of peak` is the
share of what a 3 x 3 convolution of 256 channels reaches in multiply-adds a second. `max` and `rms`
are distances from torch in float32 in 8-bit levels. Without --weights (the state dict of a network) the weights are
random: speeds are the same, distances are not those of a trained network.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lipwright.cli.results import cell, command_line, result, table
from lipwright.core.checkpoint import load_into, load_tensors
from lipwright.core.contracts import F32
from lipwright.core.files import write_json
from lipwright.engines.network import Network, Port
from lipwright.engines.onnx_file import write_onnx
from lipwright.engines.parity import difference, reference
from lipwright.engines.running import OnnxRuntime, OpenVino, cores
from lipwright.render.crossmodal.config import SIZES, CrossModalConfig
from lipwright.render.crossmodal.drawing import Drawing
from lipwright.render.crossmodal.networks import CrossModal
from lipwright.render.head import SHARE
from lipwright.render.patches import Area

COLUMNS = [
    *("size", "drawn", "runtime", "calls x threads", "CPU ms", "to torch", "fps", "fps, quiet"),
    *("of peak", "max levels", "rms levels"),
]
WARM_UP = 2


def network(size: int, weights: Path | None) -> CrossModal:
    torch.manual_seed(0)
    side = round(SHARE * size)
    model = CrossModal(CrossModalConfig(size=size, bf16=False), ((size - side) // 2, size // 2, side)).eval()
    if weights is not None:
        load_into(model, load_tensors(weights)[0], str(weights))
    return model


def around(model: CrossModal) -> Area:
    x, y, side = model.mouth_square
    grown = side // 4
    rows = slice(max(y - grown, 0), min(y + side + grown, model.config.size))
    return rows, slice(max(x - grown, 0), x + side + grown)


def timed(run: Callable[..., Any], inputs: tuple[F32, ...], calls: int, count: int) -> tuple[float, float]:
    """(CPU ms a picture, pictures a second), `calls` threads drawing `count` pictures each."""
    gate = threading.Barrier(calls + 1)

    def work() -> None:
        for _ in range(WARM_UP):
            run(*inputs)
        gate.wait()
        for _ in range(count):
            run(*inputs)
        gate.wait()

    threads = [threading.Thread(target=work) for _ in range(calls)]
    for thread in threads:
        thread.start()
    gate.wait()
    busy, began = time.process_time(), time.perf_counter()
    gate.wait()
    spent, took = time.process_time() - busy, time.perf_counter() - began
    for thread in threads:
        thread.join()
    return 1000 * spent / (calls * count), calls * count / took


def macs(of: Network) -> float:
    """Multiply-adds of a picture."""
    with FlopCounterMode(display=False) as counted, torch.inference_mode():
        of.make()(*map(torch.from_numpy, of.example()))
    return counted.get_total_flops() / 2


def peak(folder: Path, count: int) -> float:
    """Multiply-adds in a second of one core's processor time, of a convolution that keeps its units busy."""
    torch.manual_seed(0)
    layer = nn.Conv2d(256, 256, 3, padding=1).eval()
    port = Port("x", (1, 256, 64, 64))
    plain = Network("peak", {}, layer, lambda: layer, lambda x: (layer(torch.from_numpy(x)).numpy(),), (port,), ("y",))
    write_onnx(plain, folder / "peak.onnx")
    run = OpenVino(folder / "peak.onnx", "fp32")
    return 256 * 256 * 9 * 64 * 64 / (timed(run, plain.example(), 1, count)[0] / 1000)


def rows(model: CrossModal, whole: bool, count: int, most: float, folder: Path) -> Iterator[list[object]]:
    drawing = Drawing(model, around(model), torch.device("cpu"))
    of = drawing.networks()[1 if whole else 0]
    inputs, amount = of.example(1), macs(of)
    wanted = reference(of, inputs)
    path = folder / f"{model.config.size}-{of.name}.onnx"
    write_onnx(of, path)
    here = cores()
    native = OpenVino(path, "bf16").precision == "bf16"
    ways: list[tuple[str, int, int, Callable[[], Callable[..., Any]]]] = [("torch eager", 1, 1, lambda: of.plain)]
    for precision in ("fp32", "bf16") if native else ("fp32",):
        for calls, threads in dict.fromkeys([(1, 1), (1, here), (here, 1)]):
            make = lambda p=precision, c=calls, t=threads: OpenVino(path, p, t, c)  # noqa: E731
            ways.append((f"OpenVINO {precision}", calls, threads, make))
    ways += [("ONNX Runtime fp32", calls, 1, lambda: OnnxRuntime(path)) for calls in dict.fromkeys([1, here])]
    drawn = (
        "head"
        if whole
        else f"{around(model)[1].stop - around(model)[1].start} x "
        + str(around(model)[0].stop - around(model)[0].start)
    )
    slow = None
    for name, calls, threads, make in ways:
        run = make()
        error = difference(run(*inputs), wanted, of)
        cpu_ms, fps = timed(run, inputs, calls, count)
        slow = cpu_ms if slow is None else slow
        share = amount / (cpu_ms / 1000) / most
        label = [model.config.size, drawn, name, f"{calls} x {threads}"]
        yield [*label, cpu_ms, slow / cpu_ms, fps, 1000 * here / cpu_ms, share, error.greatest, error.rms]


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), choices=SIZES)
    p.add_argument("--count", type=int, default=30, help="timed pictures of each call")
    p.add_argument("--weights", type=Path, help="state dict of a network of the one size given")
    p.add_argument("--json", type=Path)
    return p


def main() -> None:
    given = parser().parse_args()
    torch.set_num_threads(1)
    print(" | ".join(COLUMNS))
    found: list[list[object]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        most = peak(folder, given.count)
        for size in given.sizes:
            model = network(size, given.weights)
            for whole in (True, False):
                for row in rows(model, whole, given.count, most, folder):
                    print(" | ".join(map(cell, row)), flush=True)
                    found.append(row)
    if given.json is not None:
        made = command_line("benchmarks/crossmodal.py", sys.argv[1:])
        note = f"The peak is {most / 5e8:.0f} GFLOPS of a core: a 3 x 3 convolution of 256 channels, float32."
        write_json(given.json, result(made, [table("", COLUMNS, found)], notes=[note]))


if __name__ == "__main__":
    main()
