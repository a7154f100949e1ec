"""The `memory` renderer alone, on the last tenth of prepared subjects with their true landmarks, before any encoder.

python benchmarks/memory.py quality anchor.subject presenter.subject
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import torch

from lipwright.compose.paste import paste
from lipwright.core.checkpoint import load_tensors, part_hash, save_tensors
from lipwright.core.contracts import F32, U8, Patch, RenderWindow
from lipwright.core.ibug import MOUTH_JAW, lip_aperture
from lipwright.evaluate.boxes import mouth_boxes
from lipwright.face.align import apply
from lipwright.media.color import BT709
from lipwright.media.picture import Picture
from lipwright.metrics.detail import laplacian_energy, sharpness_ratio
from lipwright.metrics.image import psnr, ssim_gaussian
from lipwright.metrics.steadiness import frame_energy, jitter_ratio
from lipwright.render.memory.bank import MouthBank, build_bank
from lipwright.render.memory.cover import STRETCH_S, cover
from lipwright.render.memory.pictures import Pictures
from lipwright.render.memory.renderer import MemoryRenderer
from lipwright.render.registry import RENDERERS
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


def replay(held: Held, renderer: MemoryRenderer) -> tuple[list[U8], float]:
    """(frames made for the held-out stretch, CPU ms a frame)."""
    track, start, stop = held.subject.track, int(held.test[0]), int(held.test[-1]) + 1
    made: list[U8] = []
    spent = 0.0
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
    return made, 1000 * spent / len(made)


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
        made, spent = replay(held, renderer)
        print(path.stem, {k: round(v, 3) for k, v in scores(held, made).items()}, f"{spent:.1f} ms", renderer.config)


def reduce(paths: Sequence[Path]) -> None:
    """Held-out quality with stretches kept by coverage and with as many spread evenly."""
    for path in paths:
        held = Held.open(path)
        size = round(STRETCH_S * held.subject.fps)
        for n in (120, 200, 280, 400, len(held.train)):
            blocks = np.unique(np.linspace(0, len(held.train) // size - 1, n // size).round().astype(int))
            even = held.train[(blocks[:, None] * size + np.arange(size)).ravel()]
            for name, kept in (("even", even), ("cover", cover(held.subject.track, held.train, n, size))):
                made, _ = replay(held, held.memory(kept))
                print(path.stem, name, len(kept), {k: round(v, 3) for k, v in scores(held, made).items()}, flush=True)


def unseen(paths: Sequence[Path]) -> None:
    """Mouths of a kind that was taken out of the footage, each rendered on its own."""
    for path in paths:
        held = Held.open(path)
        track, boxes = held.subject.track, mouth_boxes(held.subject.track)
        good = np.flatnonzero(track.good)
        points = track.landmarks_px[good]
        unit = np.linalg.norm(points[:, 45] - points[:, 36], axis=1)
        gap, width = lip_aperture(points) / unit, np.linalg.norm(points[:, 54] - points[:, 48], axis=1) / unit
        for name, values, kept, asked in (
            ("wide open", gap, (0, 0.55), (0.95, 1)),
            ("closed", gap, (0.45, 1), (0, 0.05)),
            ("rounded", width, (0.5, 1), (0, 0.05)),
        ):
            chosen = [
                good[(values >= low) & (values <= high)]
                for low, high in (np.quantile(values, kept), np.quantile(values, asked))
            ]
            renderer = held.memory(chosen[0])
            quality = []
            for t in chosen[1][:: max(len(chosen[1]) // 15, 1)]:
                renderer.reset()
                one = slice(t, t + 1)
                window = RenderWindow(held.frames[one], track[one], track.landmarks_px[one][:, MOUTH_JAW], track[one])
                made = shown(held.frames[t], next(iter(renderer.render(window))))
                quality.append(psnr(boxes.cut(held.frames[t], t), boxes.cut(made, t)))
            print(
                path.stem, name, f"kept {len(chosen[0])}, asked {len(quality)}: {np.mean(quality):.2f} dB", flush=True
            )


def grown(bank: MouthBank, n: int) -> MouthBank:
    """`n` mouths: stretches of a second half way between two random ones of `bank`, with a tracker's noise."""
    rng = np.random.default_rng(0)
    starts = rng.integers(0, len(bank) - 25, (2, -(-n // 25)))
    rows = (starts[..., None] + np.arange(25)).reshape(2, -1)[:, :n]
    share = np.repeat(rng.random(starts.shape[1]), 25)[:n].astype(np.float32)[:, None, None]
    points = bank.landmarks_px[rows[0]] * (1 - share) + bank.landmarks_px[rows[1]] * share
    points += rng.normal(0, 0.3, points.shape).astype(np.float32)
    one = bank.pictures
    sizes = np.diff(one.offsets)[rows[0]]
    data = np.concatenate([one.data[one.offsets[r] : one.offsets[r + 1]] for r in rows[0]])
    source = np.arange(n) + np.arange(n) // 25 * 10
    checks = None if one.checks is None else one.checks[rows[0]]
    return replace(
        bank,
        landmarks_px=points,
        canonical_from_cut=bank.canonical_from_cut[rows[0]],
        pose_rad=bank.pose_rad[rows[0]],
        source=source,
        looks=bank.looks[rows[0]],
        details=None if bank.details is None else bank.details[rows[0]],
        pictures=Pictures(data, np.concatenate([[0], np.cumsum(sizes)]), checks),
    )


def scale(paths: Sequence[Path]) -> None:
    """Cost of a query, of loading, and resident memory, against the number of mouths."""
    held = Held.open(paths[0])
    bank, track = held.memory().bank, held.subject.track
    shapes = apply(bank.geometry.aligner.maps(track.landmarks_px), track.landmarks_px)[held.test][:, MOUTH_JAW]
    for n in (1000, 10_000, 90_000):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "memory.safetensors"
            arrays, config = MemoryRenderer(grown(bank, n)).state()
            save_tensors(file, {k: torch.from_numpy(v) for k, v in arrays.items()}, config)
            digest = part_hash(file)
            np.savez(Path(folder) / "wanted.npz", shapes=shapes, pose=track.pose_rad[held.test])
            del arrays
            out = subprocess.run(
                [sys.executable, __file__, "one-scale", str(file), digest], capture_output=True, text=True, check=True
            )
            print(n, f"{file.stat().st_size / 1e6:.0f} MB on disk;", out.stdout.strip(), flush=True)


def one_scale(paths: Sequence[Path]) -> None:
    """In a process of its own: load, then look for every wanted mouth."""
    file, digest = paths
    wanted = np.load(file.parent / "wanted.npz")
    process = psutil.Process()
    before, began = process.memory_info().rss, time.process_time()
    tensors, config = load_tensors(file)
    assert part_hash(file) == digest.name
    renderer = RENDERERS.get("memory")(tensors, config, "cpu")
    loaded = time.process_time() - began
    search = renderer._search
    features = search._feature(wanted["shapes"], wanted["pose"])
    took = {}
    rows = search._features
    norm = (rows**2).sum(1)

    def scan(feature: F32) -> None:
        distance = norm + (feature**2).sum() - 2 * (rows @ feature)
        np.argpartition(distance, 23)

    for name, ask in (("index", lambda f: search._index.nearest(f, 24)), ("scan", scan)):
        spent = []
        for feature in features:
            start = time.process_time()
            ask(feature)
            spent.append(1000 * (time.process_time() - start))
        took[name] = f"{np.median(spent):.2f} ms (slowest {max(spent):.2f})"
    renderer.bank.image(0)
    resident = (process.memory_info().rss - before) / 1e6
    print(f"load {loaded:.2f} s of CPU; resident +{resident:.0f} MB; index {took['index']}; scan {took['scan']}")


COMMANDS: dict[str, Callable[[Sequence[Path]], None]] = {
    "quality": quality,
    "reduce": reduce,
    "unseen": unseen,
    "scale": scale,
    "one-scale": one_scale,
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=sorted(COMMANDS))
    options.add_argument("subjects", nargs="*", type=Path)
    return options


def main() -> None:
    given = parser().parse_args()
    COMMANDS[given.what](given.subjects)


if __name__ == "__main__":
    main()
