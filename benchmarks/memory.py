"""The `memory` renderer alone, on the last tenth of prepared subjects with their true landmarks, before any encoder.

    python benchmarks/memory.py quality anchor.subject presenter.subject --json benchmarks/results/memory.json

Rows are printed as they are measured; `--json` keeps them for `lipwright report`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from lipwright.cli.results import cell, command_line, result, table
from lipwright.compose.paste import paste
from lipwright.core.checkpoint import load_tensors, part_hash, save_tensors
from lipwright.core.contracts import F32, U8, Patch, RenderWindow
from lipwright.core.files import write_json
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
SCORES = ("mouth PSNR, dB", "mouth SSIM", "sharpness to real", "jitter to real")
SCALE = (
    *("mouths", "MB on disk", "index, ms", "index, slowest", "scan of all, ms", "scan, slowest"),
    *("load, CPU s", "resident, MB"),
)
Row = list[Any]


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
    """`SCORES` of the mouth box against the real frames."""
    where = held.test
    boxes = mouth_boxes(held.subject.track[where])
    real = [boxes.cut(held.frames[t], i) for i, t in enumerate(where)]
    ours = [boxes.cut(f, i) for i, f in enumerate(made)]
    moved = [
        [frame_energy(boxes.cut(a, i), boxes.cut(b, i)) for i, (a, b) in enumerate(pairwise(v))]
        for v in (list(made), [held.frames[t] for t in where])
    ]
    values = (
        float(np.mean([psnr(a, b) for a, b in zip(real, ours, strict=True)])),
        float(np.mean([ssim_gaussian(a, b) for a, b in zip(real, ours, strict=True)])),
        sharpness_ratio([laplacian_energy(x) for x in ours], [laplacian_energy(x) for x in real]),
        jitter_ratio(*moved),
    )
    return dict(zip(SCORES, values, strict=True))


def quality(paths: Sequence[Path]) -> Iterator[Row]:
    """One row per subject."""
    for path in paths:
        held = Held.open(path)
        made, spent = replay(held, held.memory())
        yield [path.stem, len(made), *scores(held, made).values(), spent]


def reduce(paths: Sequence[Path]) -> Iterator[Row]:
    """Held-out quality with stretches kept by coverage and with as many spread evenly."""
    for path in paths:
        held = Held.open(path)
        size = round(STRETCH_S * held.subject.fps)
        for n in (120, 200, 280, 400, len(held.train)):
            blocks = np.unique(np.linspace(0, len(held.train) // size - 1, n // size).round().astype(int))
            even = held.train[(blocks[:, None] * size + np.arange(size)).ravel()]
            for name, kept in (("even", even), ("coverage", cover(held.subject.track, held.train, n, size))):
                made, _ = replay(held, held.memory(kept))
                yield [path.stem, name, len(kept), *scores(held, made).values()]


def unseen(paths: Sequence[Path]) -> Iterator[Row]:
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
            yield [path.stem, name, len(chosen[0]), len(quality), float(np.mean(quality))]


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


def scale(paths: Sequence[Path]) -> Iterator[Row]:
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
            yield [n, file.stat().st_size / 1e6, *json.loads(out.stdout)]


def one_scale(file: Path, digest: str) -> list[float]:
    """In a process of its own: load, then look for every wanted mouth; the last six columns of `scale`."""
    wanted = np.load(file.parent / "wanted.npz")
    process = psutil.Process()
    before, began = process.memory_info().rss, time.process_time()
    tensors, config = load_tensors(file)
    assert part_hash(file) == digest
    renderer = RENDERERS.get("memory")(tensors, config, "cpu")
    loaded = time.process_time() - began
    search = renderer._search
    features = search._feature(wanted["shapes"], wanted["pose"])
    took: list[float] = []
    rows = search._features
    norm = (rows**2).sum(1)

    def scan(feature: F32) -> None:
        distance = norm + (feature**2).sum() - 2 * (rows @ feature)
        np.argpartition(distance, 23)

    for ask in (lambda f: search._index.nearest(f, 24), scan):
        spent = []
        for feature in features:
            start = time.process_time()
            ask(feature)
            spent.append(1000 * (time.process_time() - start))
        took += [float(np.median(spent)), max(spent)]
    renderer.bank.image(0)
    return [*took, loaded, (process.memory_info().rss - before) / 1e6]


COMMANDS: dict[str, tuple[tuple[str, ...], Callable[[Sequence[Path]], Iterator[Row]]]] = {
    "quality": (("subject", "frames", *SCORES, "CPU ms a frame"), quality),
    "reduce": (("subject", "chosen by", "mouths", *SCORES), reduce),
    "unseen": (("subject", "mouths taken out", "kept", "asked", "mouth PSNR, dB"), unseen),
    "scale": (SCALE, scale),
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=[*COMMANDS, "one-scale"])
    options.add_argument("subjects", nargs="*", type=Path)
    options.add_argument("--json", type=Path, help="table for `lipwright report`")
    return options


def main() -> None:
    given = parser().parse_args()
    if given.what == "one-scale":
        file, digest = given.subjects
        print(json.dumps(one_scale(file, str(digest))))
        return
    columns, measure = COMMANDS[given.what]
    print(" | ".join(columns))
    rows = []
    for row in measure(given.subjects):
        print(" | ".join(map(cell, row)), flush=True)
        rows.append(row)
    if given.json is not None:
        write_json(given.json, result(command_line("benchmarks/memory.py", sys.argv[1:]), [table("", columns, rows)]))


if __name__ == "__main__":
    main()
