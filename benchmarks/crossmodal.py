"""Speed of the cross-modal network on a CPU, one picture at a time: torch eager and its exported form in OpenVINO.

    python benchmarks/crossmodal.py --threads 2 --json benchmarks/results/crossmodal.json
    python benchmarks/crossmodal.py --sizes 512 --weights renderer.safetensors

Rows are the paper's network with residual blocks at each size. `region` draws the mouth square grown by a quarter to
each side instead of the whole head. `CPU ms` is processor time a picture over all threads, `fps` pictures a second of
wall clock (median), `max` and `mean` how far the picture is from torch's in 8-bit levels. Without --weights (the
state dict of a network) the weights are random: speeds are the same, distances are not those of a trained network.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from lipwright.cli.results import cell, command_line, result, table
from lipwright.core.checkpoint import load_into, load_tensors
from lipwright.core.contracts import F32
from lipwright.core.files import write_json
from lipwright.render.crossmodal.config import SIZES, CrossModalConfig
from lipwright.render.crossmodal.export import Drawing, openvino_drawing, to_onnx
from lipwright.render.crossmodal.networks import CrossModal, Region
from lipwright.render.head import SHARE

COLUMNS = ["size", "drawn", "runtime", "CPU ms", "fps", "max levels", "mean levels"]
WARM_UP = 5


def network(size: int, weights: Path | None) -> CrossModal:
    torch.manual_seed(0)
    side = round(SHARE * size)
    model = CrossModal(CrossModalConfig(size=size), ((size - side) // 2, size // 2, side)).eval()
    if weights is not None:
        load_into(model, load_tensors(weights)[0], str(weights))
    return model


def around(model: CrossModal) -> Region:
    x, y, side = model.mouth_square
    grown = side // 4
    return max(x - grown, 0), max(y - grown, 0), x + side + grown, min(y + side + grown, model.config.size)


def timed(draw: Drawing, inputs: tuple[F32, F32], count: int) -> tuple[float, float]:
    """(CPU ms a picture, pictures a second at the median)."""
    for _ in range(WARM_UP):
        draw(*inputs)
    walls, began = [], time.process_time()
    for _ in range(count):
        start = time.perf_counter()
        draw(*inputs)
        walls.append(time.perf_counter() - start)
    return 1000 * (time.process_time() - began) / count, 1 / float(np.median(walls))


def eager(model: CrossModal, region: Region | None) -> Drawing:
    def draw(strokes: F32, speech: F32) -> F32:
        with torch.inference_mode():
            return np.asarray(model.draw(torch.from_numpy(strokes), torch.from_numpy(speech), region).numpy())

    return draw


def rows(model: CrossModal, region: Region | None, threads: int, count: int) -> Iterator[list[object]]:
    c = model.config
    rng = np.random.default_rng(1)
    inputs = rng.random((1, 3, c.size, c.size), np.float32), rng.random((1, c.window, c.k), np.float32)
    plain = eager(model, region)
    wanted = plain(*inputs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "head.onnx"
        to_onnx(model, path, region)
        ways: dict[str, Callable[[], Drawing]] = {
            "torch eager": lambda: plain,
            "OpenVINO fp32": lambda: openvino_drawing(path, "fp32", threads),
            "OpenVINO bf16": lambda: openvino_drawing(path, "bf16", threads),
        }
        for name, make in ways.items():
            draw = make()
            far = np.abs(draw(*inputs) - wanted) * 127.5
            cpu_ms, fps = timed(draw, inputs, count)
            drawn = "head" if region is None else f"{region[2] - region[0]} x {region[3] - region[1]}"
            yield [c.size, drawn, name, cpu_ms, fps, float(far.max()), float(far.mean())]


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), choices=SIZES)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--count", type=int, default=30, help="timed pictures a row")
    p.add_argument("--weights", type=Path, help="state dict of a network of the one size given")
    p.add_argument("--json", type=Path)
    return p


def main() -> None:
    given = parser().parse_args()
    torch.set_num_threads(given.threads)
    print(" | ".join(COLUMNS))
    found = []
    for size in given.sizes:
        model = network(size, given.weights)
        for region in (None, around(model)):
            for row in rows(model, region, given.threads, given.count):
                print(" | ".join(map(cell, row)), flush=True)
                found.append(row)
    if given.json is not None:
        made = command_line("benchmarks/crossmodal.py", sys.argv[1:])
        write_json(given.json, result(made, [table("", COLUMNS, found)]))


if __name__ == "__main__":
    main()
