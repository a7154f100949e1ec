"""The `memory` renderer alone, on the last tenth of prepared subjects with their true landmarks, before any encoder.

python benchmarks/memory.py quality anchor.subject presenter.subject
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from lipwright.compose.paste import paste
from lipwright.core.contracts import U8, Patch, RenderWindow
from lipwright.core.ibug import MOUTH_JAW
from lipwright.evaluate.boxes import mouth_boxes
from lipwright.media.color import BT709
from lipwright.media.picture import Picture
from lipwright.metrics.detail import laplacian_energy, sharpness_ratio
from lipwright.metrics.image import psnr, ssim_gaussian
from lipwright.metrics.steadiness import frame_energy, jitter_ratio
from lipwright.render.memory.bank import build_bank
from lipwright.render.memory.renderer import MemoryRenderer
from lipwright.subject.store import Subject

WINDOW = 50


@dataclass(frozen=True)
class Held:
    """A subject read once: what is remembered and what is asked for."""

    subject: Subject
    frames: list[U8]
    train: np.ndarray
    test: np.ndarray

    @classmethod
    def open(cls, path: Path | str) -> Held:
        subject = Subject.open(path)
        test = np.asarray(subject.split("validation"))
        return cls(subject, list(subject.frames.read()), subject.usable("train"), test)

    def memory(self, kept: np.ndarray | None = None) -> MemoryRenderer:
        """What the training frames, or some of them, leave in the memory."""
        kept = self.train if kept is None else kept
        return MemoryRenderer(build_bank(((int(t), self.frames[t]) for t in kept), self.subject.track))


def replay(held: Held, renderer: MemoryRenderer) -> tuple[list[U8], list[int], float]:
    """(frames made for the held-out stretch, path, CPU ms a frame)."""
    track, start, stop = held.subject.track, int(held.test[0]), int(held.test[-1]) + 1
    made, path, spent = [], [], 0.0
    renderer.reset()
    for at in range(start, stop, WINDOW):
        end = min(at + WINDOW, stop)
        seen = slice(at, min(end + renderer.lookahead, stop))
        target = track.landmarks_px[seen][:, MOUTH_JAW]
        window = RenderWindow(held.frames[at:end], track[at:end], target, track[seen])
        began = time.process_time()
        patches = list(renderer.render(window))
        spent += time.process_time() - began
        made += [shown(held.frames[at + i], p) for i, p in enumerate(patches)]
    return made, path, 1000 * spent / len(made)


def shown(frame: U8, patch: Patch) -> U8:
    """The frame with its patch, as accurate as 10 bit allow."""
    return paste(Picture.of_rgb8(frame, BT709, "yuv444p10le"), patch).rgb8()


def scores(held: Held, made: Sequence[U8]) -> dict[str, float]:
    """Mouth box against the real frames."""
    where = held.test
    boxes = mouth_boxes(held.subject.track[where])
    real = [boxes.cut(held.frames[t], i) for i, t in enumerate(where)]
    ours = [boxes.cut(f, i) for i, f in enumerate(made)]
    moved = [
        [frame_energy(boxes.cut(a, i), boxes.cut(b, i)) for i, (a, b) in enumerate(pairwise(v))]
        for v in (list(made), [held.frames[t] for t in where])
    ]
    return {
        "PSNR": float(np.mean([psnr(a, b) for a, b in zip(real, ours, strict=True)])),
        "SSIM": float(np.mean([ssim_gaussian(a, b) for a, b in zip(real, ours, strict=True)])),
        "sharpness": sharpness_ratio([laplacian_energy(x) for x in ours], [laplacian_energy(x) for x in real]),
        "jitter": jitter_ratio(*moved),
    }


def quality(paths: Sequence[Path]) -> None:
    """One row per subject."""
    for path in paths:
        held = Held.open(path)
        renderer = held.memory()
        made, _, spent = replay(held, renderer)
        print(path.stem, {k: round(v, 3) for k, v in scores(held, made).items()}, f"{spent:.1f} ms", renderer.config)


COMMANDS: dict[str, Callable[[Sequence[Path]], None]] = {"quality": quality}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=sorted(COMMANDS))
    options.add_argument("subjects", nargs="*", type=Path)
    given = options.parse_args()
    COMMANDS[given.what](given.subjects)


if __name__ == "__main__":
    main()
