"""Train a renderer from a packed subject on a machine that has torch, NumPy, OpenCV and safetensors alone.

    lipwright pack anchor.subject -o anchor.packed.safetensors --preset standard        (where the footage is)
    python -m lipwright.train anchor.packed.safetensors -o trained --budget 10m         (where the GPU is)
    lipwright train anchor.subject --recipe pose-adaptive --renderer trained/renderer.safetensors ...

`trained/` then holds renderer.safetensors (16-bit floats), training.json, preview.png (held-out frames: real,
generated, difference) and mouths.png (consecutive held-out mouths, real over generated); of virtual-human
renderer-preview.png and oracle-preview.png instead. Several GPUs: torchrun --nproc-per-node N -m lipwright.train ...
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from lipwright.core.config import settings
from lipwright.core.script import run_script
from lipwright.train.loop import Budget
from lipwright.train.packed import train_packed


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
