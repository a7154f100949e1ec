"""Train a renderer from a packed subject on a machine that has torch, NumPy, OpenCV and safetensors alone.

    lipwright pack anchor.subject -o anchor.packed.safetensors --preset standard        (where the footage is)
    python -m lipwright.train anchor.packed.safetensors -o trained --budget 10m         (where the GPU is)
    lipwright train anchor.subject --recipe pose-adaptive --renderer trained/renderer.safetensors ...

`trained/` then holds renderer.safetensors (16-bit floats), training.json, preview.png (held-out frames: real,
generated, difference) and mouths.png (consecutive held-out mouths, real over generated). Several GPUs: torchrun
--nproc-per-node N -m lipwright.train ...
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path

import cv2

from lipwright.core import parallel
from lipwright.core.config import settings, to_dict, with_changes
from lipwright.core.device import torch_device
from lipwright.core.errors import ConfigError
from lipwright.core.files import make_folder, write_json
from lipwright.core.progress import Progress, Silent
from lipwright.core.script import run_script
from lipwright.render.translation.packed import load_packed
from lipwright.render.translation.perceptual import perceptual_distance
from lipwright.render.translation.start import initial_weights
from lipwright.render.translation.task import TranslationTask
from lipwright.train.loop import Budget, Loop, TrainingRecord


class Lines:
    """Progress as a line on stderr every few seconds."""

    def __init__(self, every_s: float = 10.0) -> None:
        self._every_s, self._last, self._note = every_s, 0.0, ""

    def start(self, task: str, total: float | None) -> None:
        """A stage begins."""
        self._name, self._total = task, total

    def update(self, done: float, note: str = "") -> None:
        """`done` of the stage's total."""
        self._note = f"{self._name}: {done:.0f} of {self._total:.0f}, {note}"
        if time.monotonic() - self._last > self._every_s:
            self._last = time.monotonic()
            print(self._note, file=sys.stderr, flush=True)

    def finish(self) -> None:
        """The stage is over."""
        print(self._note, file=sys.stderr, flush=True)


def train_packed(
    packed: Path,
    out: Path,
    budget: Budget,
    device: str = "auto",
    changes: dict[str, str] | None = None,
    init: Path | None = None,
    resume: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> TrainingRecord:
    """Train the renderer of a packed subject and write it with its figures and pictures into the folder `out`.

    Args as `lipwright.train`; `changes` may change anything but mode and size, which the crops fix.
    """
    where = torch_device(device)
    data, config = load_packed(packed)
    changed = with_changes(config, changes or {})
    if (changed.mode, changed.size) != (config.mode, config.size):
        raise ConfigError(f"{packed} was packed for {config.mode} at {config.size} px; pack the subject again")
    start = initial_weights(init, changed) if init is not None else None
    with parallel.group(where):
        task = TranslationTask(changed, data, seed, where, perceptual_distance(changed, where), start)
        loop = Loop(task, make_folder(out), budget, "renderer", progress if parallel.leads() else Silent())
        record = loop.run(resume)
        if parallel.leads():
            task.renderer().save(out / "renderer.safetensors", half=True)
            for name, picture in (("preview", task.preview()), ("mouths", task.mouths())):
                cv2.imwrite(str(out / f"{name}.png"), picture[..., ::-1])
            write_json(out / "training.json", {"config": to_dict(changed), "device": where, **asdict(record)})
            loop.discard()
        parallel.wait()
    return record


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser("python -m lipwright.train", description=(__doc__ or "").splitlines()[0])
    options.add_argument("packed", type=Path, help="made by `lipwright pack`")
    options.add_argument("-o", "--out", type=Path, required=True, help="folder for weights, figures and pictures")
    options.add_argument("--budget", default="10m", help="90s, 20m, 2h or '400 steps'")
    options.add_argument("--device", default="auto")
    options.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE")
    options.add_argument("--init", type=Path, help="a renderer or pix2pixHD's .pth to start from")
    options.add_argument("--resume", action="store_true")
    options.add_argument("--seed", type=int, default=0)
    return options


def main() -> None:
    """The command line; exit code 2 and one sentence for what the user can mend, 130 when interrupted."""
    args = parser().parse_args()

    def work() -> None:
        changes, budget = settings(args.settings), Budget.parse(args.budget)
        train_packed(args.packed, args.out, budget, args.device, changes, args.init, args.resume, args.seed, Lines())

    if code := run_script(work, lambda: _left(args.out)):
        sys.exit(code)


def _left(out: Path) -> str:
    """What an interrupted training leaves behind."""
    if any(out.glob("*.checkpoint")):
        return f"the last checkpoint is kept in {out}; run the same command with --resume to continue"
    return "no checkpoint had been written yet; run the same command again"


if __name__ == "__main__":
    main()
