"""Can this network learn on this machine? A preset on a few fixed frames: step time, memory, and the loss.

    python benchmarks/overfit.py vlog.subject --preset broadcast --steps 50 --json broadcast.json

Everything is as in training (attention, discriminators, schedule) except that the frames are always the same and
nothing is augmented. The file is written after every step, so an interrupted run leaves its figures.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch

from lipwright.cli.machine import machine
from lipwright.core.files import write_json
from lipwright.core.png import write_png
from lipwright.face.align import apply
from lipwright.render.translation.config import TranslationConfig, preset
from lipwright.render.translation.crop import sample_crop
from lipwright.render.translation.crops import Crops
from lipwright.render.translation.data import TranslationData
from lipwright.render.translation.geometry import TranslationGeometry
from lipwright.render.translation.task import TranslationTask
from lipwright.subject.store import Subject


def fixed_frames(subject: Subject, config: TranslationConfig, count: int) -> TranslationData:
    """`count` frames of the training split, evenly spread; the crop is that of the whole split."""
    usable, track = subject.usable("train"), subject.track
    geometry = TranslationGeometry.fit(track.landmarks_px[usable], track.pose_rad[usable], config.mode, config.size)
    chosen = usable[np.linspace(0, len(usable) - 1, count).round().astype(int)]
    maps = geometry.crop_maps(track.landmarks_px[chosen])
    frames = [next(iter(subject.frames.read(int(t), 1))) for t in chosen]
    crops = Crops.of((sample_crop(f, m, config.size) for f, m in zip(frames, maps, strict=True)), config.size)
    points, every = apply(maps, track.landmarks_px[chosen]), np.arange(count)
    return TranslationData(crops, points, track.pose_rad[chosen], geometry, every, every)


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("subject", type=Path)
    options.add_argument("--preset", default="broadcast")
    options.add_argument("--mode", default="sewn")
    options.add_argument("--frames", type=int, default=4)
    options.add_argument("--steps", type=int, default=50)
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    options.add_argument("--device", default="cpu")
    options.add_argument("--json", type=Path, required=True)
    return options


def main() -> None:
    args = parser().parse_args()
    torch.set_num_threads(args.threads)
    still = {"swap": 0.0, "jitter_px": 0.0, "photometric": 0.0, "shift": 0.0}
    config = replace(preset(args.preset, args.mode), **still)
    task = TranslationTask(config, fixed_frames(Subject.open(args.subject), config, args.frames), 0, args.device)
    parameters = {name: sum(p.numel() for p in part.parameters()) for name, part in task.modules().items()}
    steps: list[dict[str, float]] = []
    result = {"preset": args.preset, "mode": args.mode, "frames": args.frames, "threads": args.threads}
    result |= {"machine": machine(), "parameters": parameters, "before": task.validate()}
    for i in range(args.steps):
        task.budget_fraction(i / args.steps)
        wall, cpu = time.perf_counter(), time.process_time()
        losses = task.step(i)
        spent = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        steps.append({"step": i, **spent, "peak_gb": peak, **losses})
        result |= {"step_s": median(s["seconds"] for s in steps), "steps": steps}
        write_json(args.json, result)
    write_json(args.json, result | {"after": task.validate()})
    write_png(args.json.with_suffix(".png"), task.preview())


if __name__ == "__main__":
    main()
