"""Speed of the renderers: every preset in every mode, drawing and training, beside a stock pix2pixHD generator."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lipwright.cli.assets import persona_path
from lipwright.cli.bench.measure import Job, Measure, measure

if TYPE_CHECKING:
    from torch import nn

    from lipwright.core.contracts import U8, FaceTrack
    from lipwright.render.translation.config import TranslationConfig
    from lipwright.render.translation.data import TranslationData

STOCK_SIZE, STOCK_NGF = 512, 64
"""Side of the pictures and width of the baseline: pix2pixHD's global generator, 182.4 M parameters."""
_FRAMES = 48


def run(job: Job) -> list[Measure]:
    """Frames drawn per second by the stock generator and by each preset and mode, and training steps per second.

    Weights are as they start, which does not change how long anything takes.
    """
    import torch

    from lipwright.render.translation.config import MODES, PRESETS, preset
    from lipwright.render.translation.networks import GlobalGenerator

    n = max(1, round(job.seconds))
    names = (job.preset,) if job.preset else tuple(PRESETS)
    wanted = [(f"{name} {mode}", preset(name, mode)) for name in names for mode in MODES]
    with torch.random.fork_rng(devices=[]):
        stock: nn.Module = GlobalGenerator(3, ngf=STOCK_NGF).eval()
    size, move = STOCK_SIZE, job.device
    stock = stock.to(move)
    picture = torch.zeros(1, 3, size, size, device=move)

    def forward() -> int:
        with torch.inference_mode():
            for _ in range(n):
                stock(picture)
        _wait(move)
        return n

    name = f"pix2pixHD global ngf {STOCK_NGF} at {size}, network"
    found = [_told(measure(name, forward, job.repeats), stock, (3, size, size), move)]
    for label, config in wanted:
        found += _of(label, config, job, n)
    return found


def _of(label: str, config: TranslationConfig, job: Job, n: int) -> list[Measure]:
    """Drawing and one training step of a configuration."""
    import gc

    from lipwright.core.contracts import RenderWindow
    from lipwright.core.ibug import MOUTH_JAW
    from lipwright.render.translation.networks import build_generator
    from lipwright.render.translation.renderer import TranslationRenderer
    from lipwright.render.translation.task import TranslationTask

    gc.collect()  # what was measured before holds gigabytes in cycles, which would count as this one's memory
    data, frames, track = _person(config)
    renderer = TranslationRenderer(config, build_generator(config), data.geometry, job.device)
    count = min(n, len(frames))
    window = RenderWindow(frames[:count], track[:count], track.landmarks_px[:count, MOUTH_JAW], track[:count])

    def draw() -> int:
        return sum(1 for _ in renderer.render(window))

    shape = (config.input_channels, config.size, config.size)
    found = [_told(measure(f"{label}, draw", draw, job.repeats), build_generator(config), shape, job.device)]
    task = TranslationTask(config, data, 0, job.device)
    task.budget_fraction(0.5)

    def step() -> int:
        task.step(0)
        _wait(job.device)
        return 1

    trained = measure(f"{label}, training step of {config.batch}", step, job.repeats)
    return [*found, replace(trained, gpu_mb=_gpu_mb(job.device))]


def _told(timed: Measure, network: nn.Module, shape: tuple[int, int, int], device: str) -> Measure:
    """With what the network costs on paper."""
    parameters = sum(p.numel() for p in network.parameters())
    return replace(
        timed, gmacs=round(macs(network, shape) / 1e9, 2), mparams=round(parameters / 1e6, 2), gpu_mb=_gpu_mb(device)
    )


def macs(network: nn.Module, shape: tuple[int, int, int]) -> int:
    """Multiply-accumulates of convolutions and attention for one (C, H, W) input; computes shapes only."""
    import torch
    from torch.func import functional_call
    from torch.utils.flop_counter import FlopCounterMode

    weights = {name: value.to("meta") for name, value in network.state_dict().items()}
    with FlopCounterMode(display=False) as counted, torch.inference_mode():
        functional_call(network, weights, torch.empty(1, *shape, device="meta"))
    return int(counted.get_total_flops()) // 2


def _person(config: TranslationConfig) -> tuple[TranslationData, list[U8], FaceTrack]:
    """Frames and track of the bundled persona's template, and training data of them."""
    import numpy as np

    from lipwright.persona.template import Template
    from lipwright.render.translation.data import TranslationData

    template = Template.load(persona_path("demo"))
    frames = list(template.store.read(template.first, _FRAMES))
    track = template.track[:_FRAMES]
    train, held = np.arange(_FRAMES - 8), np.arange(_FRAMES - 8, _FRAMES)
    data = TranslationData.from_frames(frames, track.landmarks_px, track.pose_rad, config, train, held)
    return data, frames, track


def _wait(device: str) -> None:
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize()


def _gpu_mb(device: str) -> float | None:
    """Peak GPU memory since it was last asked."""
    import torch

    if not device.startswith("cuda"):
        return None
    peak = torch.cuda.max_memory_allocated() / 1e6
    torch.cuda.reset_peak_memory_stats()
    return round(peak, 1)
