"""Every renderer's network on a GPU in one call of a few minutes: latency at one picture, throughput, error.

    python benchmarks/gpu.py --json gpu.json
    python benchmarks/gpu.py --device cpu --tiny

Needs lipwright's source beside it and torch, numpy, OpenCV and safetensors, nothing else. Pictures go onto the device
and come back as uint8 through pinned memory; both copies count. A row is one network in one way:

    eager fp32                 the baseline of its network
    bf16, fp16                 the working precision
    channels last              memory order of convolutions
    graph                      recorded once as a CUDA graph and replayed
    compiled                   torch.compile, which also fuses (without graph where CUDA is not there)

`ms` is the median wall time of one picture from host to host at batch 1, `fps` pictures a second with `batch` at a time
and no waiting between. Ratios are to the network's own eager fp32 and to a stock pix2pixHD generator at 512 px in eager
fp32 (ngf 64, 182 M parameters), both of the same run. What fails is written down and left out. Weights are as they
start: speeds are the same, errors are not those of trained networks.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
from lipwright.cli.results import cell, command_line, result, table
from lipwright.core.files import write_json
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.networks import CrossModal
from lipwright.render.translation.config import TranslationConfig, preset
from lipwright.render.translation.networks import GlobalGenerator, build_generator

COLUMNS = [
    *("network", "way", "ms at 1", "fps at 1", "fps", "batch", "to eager", "to stock"),
    *("max levels", "rms levels", "GPU MB"),
]
STOCK = "pix2pixHD ngf 64, 512"


@dataclass(frozen=True)
class Way:
    """How a network is run."""

    name: str
    dtype: torch.dtype = torch.float32
    channels_last: bool = False
    graph: bool = False
    compiled: bool = False


EAGER = Way("eager fp32")
WAYS = (
    EAGER,
    Way("eager bf16", torch.bfloat16),
    Way("eager fp16", torch.float16),
    Way("bf16, channels last", torch.bfloat16, True),
    Way("fp16, channels last", torch.float16, True),
    Way("bf16, graph", torch.bfloat16, graph=True),
    Way("fp16, graph", torch.float16, graph=True),
    Way("fp16, channels last, graph", torch.float16, True, True),
    Way("fp16, compiled", torch.float16, compiled=True),
    Way("fp16, channels last, compiled", torch.float16, True, compiled=True),
)


class Drawn(nn.Module):
    """uint8 pictures (and floats) in, uint8 pictures out, all on the device."""

    def __init__(self, network: nn.Module, dtype: torch.dtype, region: tuple[int, int, int, int] | None) -> None:
        super().__init__()
        self.network, self.dtype, self.region = network, dtype, region

    def forward(self, picture: Tensor, speech: Tensor | None = None) -> Tensor:
        x = picture.to(self.dtype) * (1 / 255)
        if isinstance(self.network, CrossModal):
            assert speech is not None
            y = self.network.draw(x, speech.to(self.dtype), self.region)
        else:
            y = self.network(x * 2 - 1)
        return ((y.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


@dataclass(frozen=True)
class Case:
    """One network and what it is fed."""

    name: str
    make: Callable[[], nn.Module]
    channels: int
    size: int
    speech: tuple[int, int] | None = None
    region: tuple[int, int, int, int] | None = None
    stock: bool = False

    def inputs(self, batch: int) -> list[Tensor]:
        generator = torch.Generator().manual_seed(batch)
        shape = (batch, self.channels, self.size, self.size)
        found = [torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)]
        if self.speech:
            found.append(torch.rand(batch, *self.speech, generator=generator))
        return found


def crossmodal(size: int, width: int = 8) -> Case:
    config = CrossModalConfig(size=size, width=width, expressions=1)
    side = 3 * size // 8
    square = ((size - side) // 2, size // 2, side)
    grown = side // 4
    region = (square[0] - grown, square[1] - grown, square[0] + side + grown, min(square[1] + side + grown, size))
    return Case(f"crossmodal {size}", lambda: CrossModal(config, square), 3, size, (config.window, config.k), region)


def translation(name: str, mode: str, config: TranslationConfig | None = None) -> Case:
    c = config or preset(name, mode)
    return Case(f"translation {name} {mode}, {c.size}", lambda: build_generator(c), c.input_channels, c.size)


def cases(tiny: bool) -> list[Case]:
    if tiny:
        small = TranslationConfig(size=32, ngf=4, n_downs=2, n_blocks=1)
        stock = Case(STOCK, lambda: GlobalGenerator(3, ngf=2, n_downs=2, n_blocks=1), 3, 32, stock=True)
        return [stock, crossmodal(256, 1), translation("draft", "sewn", small)]
    stock = Case(STOCK, lambda: GlobalGenerator(3, ngf=64), 3, 512, stock=True)
    found = [stock, *(crossmodal(size) for size in (256, 512, 768))]
    return found + [translation(n, m) for n in ("draft", "standard", "broadcast") for m in ("sewn", "full-face")]


class Runner:
    """A case prepared in one way for one batch size: host tensors in, a host tensor out."""

    def __init__(self, case: Case, network: nn.Module, way: Way, batch: int, device: torch.device) -> None:
        cuda = device.type == "cuda"
        if way.graph and not cuda:
            raise RuntimeError("graphs need CUDA")
        module = Drawn(network, way.dtype, case.region).to(device)
        host = case.inputs(batch)
        self.host = [x.pin_memory() if cuda else x for x in host]
        self.there = [x.to(device) for x in host]
        if way.channels_last:
            self.there[0] = self.there[0].contiguous(memory_format=torch.channels_last)
        run: Callable[..., Tensor] = module
        if way.compiled:
            run = torch.compile(module, mode="reduce-overhead" if cuda else "default", dynamic=False)
        self._work: Callable[[], Tensor] = lambda: run(*self.there)
        with torch.inference_mode():
            out = self._work()
            if way.graph:
                self._work = self._recorded(run, out)
            self.back = torch.empty(out.shape, dtype=torch.uint8, pin_memory=cuda)
        self._cuda = cuda

    def _recorded(self, run: Callable[..., Tensor], out: Tensor) -> Callable[[], Tensor]:
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                run(*self.there)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            kept = run(*self.there)

        def replay() -> Tensor:
            graph.replay()
            return kept

        return replay

    def begin(self) -> None:
        """Send, draw, fetch; without waiting on a GPU."""
        for there, host in zip(self.there, self.host, strict=True):
            there.copy_(host, non_blocking=True)
        self.back.copy_(self._work(), non_blocking=True)

    def wait(self) -> None:
        if self._cuda:
            torch.cuda.synchronize()


def latency_ms(runner: Runner, seconds: float) -> float:
    """Median wall time of one call from host to host."""
    for _ in range(3):
        runner.begin()
    runner.wait()
    took, until = [], time.perf_counter() + seconds
    while len(took) < 3 or (time.perf_counter() < until and len(took) < 500):
        began = time.perf_counter()
        runner.begin()
        runner.wait()
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def calls_per_second(runner: Runner, seconds: float) -> float:
    """Calls a second when none waits for the one before, but every eighth."""
    runner.begin()
    runner.wait()
    done, began = 0, time.perf_counter()
    while done == 0 or time.perf_counter() - began < seconds:
        for _ in range(8):
            runner.begin()
        runner.wait()
        done += 8
    return done / (time.perf_counter() - began)


@contextlib.contextmanager
def precise() -> Iterator[None]:
    """float32 as float32: TF32 would make the baseline another precision."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def row(case: Case, way: Way, batches: list[int], seconds: float, device: torch.device) -> list[Any]:
    """name, way, ms, fps at 1, best fps, its batch, (ratios later), errors, memory."""
    torch.manual_seed(0)
    network = case.make().eval()
    plain = Drawn(network, torch.float32, case.region)
    with torch.inference_mode(), precise():
        wanted = plain.to(device)(*(x.to(device) for x in case.inputs(1))).cpu().float()
    network = network.to(device, way.dtype)
    if way.channels_last:
        network = network.to(memory_format=torch.channels_last)
    with torch.inference_mode(), precise():
        one = Runner(case, network, way, 1, device)
        one.begin()
        one.wait()
        off = one.back.float() - wanted
        ms, fps = latency_ms(one, seconds), calls_per_second(one, seconds)
        best, best_batch = fps, 1
        for batch in batches:
            with contextlib.suppress(torch.OutOfMemoryError):
                found = batch * calls_per_second(Runner(case, network, way, batch, device), seconds)
                best, best_batch = (found, batch) if found > best else (best, best_batch)
    memory = None
    if device.type == "cuda":
        memory = round(torch.cuda.max_memory_allocated() / 1e6, 1)
        torch.cuda.reset_peak_memory_stats()
    errors = [float(off.abs().max()), float((off**2).mean() ** 0.5)]
    return [case.name, way.name, ms, fps, best, best_batch, None, None, *errors, memory]


def measured(given: argparse.Namespace) -> tuple[list[list[Any]], list[str]]:
    """All rows, and what failed."""
    device, found, notes = torch.device(given.device), [], []
    until = time.perf_counter() + 60 * given.minutes
    for case in cases(given.tiny):
        for way in WAYS:
            if (case.stock and way.compiled) or (way.compiled and given.no_compile):
                continue
            if time.perf_counter() > until and way != EAGER:
                notes.append(f"{case.name}, {way.name}: not run, the {given.minutes:g} minutes were over")
                continue
            try:
                found.append(row(case, way, given.batches, given.seconds, device))
                print(" | ".join(map(cell, found[-1])), flush=True)
            except Exception as error:  # one way that does not work must not cost all others
                notes.append(f"{case.name}, {way.name}: {type(error).__name__}: {' '.join(str(error).split())[:200]}")
                print(notes[-1], flush=True)
            torch._dynamo.reset() if way.compiled else None
            if device.type == "cuda":
                torch.cuda.empty_cache()
    compare(found)
    return found, notes


def compare(rows: list[list[Any]]) -> None:
    """Fill in the ratios: best rate over the network's own eager fp32, and over the stock generator's."""
    eager = {r[0]: r[4] for r in rows if r[1] == EAGER.name}
    for r in rows:
        r[6] = r[4] / eager[r[0]] if r[0] in eager else None
        r[7] = r[4] / eager[STOCK] if STOCK in eager else None


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    p.add_argument("--seconds", type=float, default=0.5, help="length of every measurement")
    p.add_argument("--minutes", type=float, default=6, help="after these only eager fp32 of what is left")
    p.add_argument("--batches", type=int, nargs="*", default=[8, 32], help="further batch sizes for throughput")
    p.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    p.add_argument("--tiny", action="store_true", help="small networks: does the script work?")
    p.add_argument("--json", type=Path)
    return p


def main() -> None:
    given = parser().parse_args()
    print(" | ".join(COLUMNS))
    found, notes = measured(given)
    if given.json is not None:
        made = command_line("benchmarks/gpu.py", sys.argv[1:])
        write_json(given.json, result(made, [table("", COLUMNS, found)], notes=notes))


if __name__ == "__main__":
    main()
