"""Seams of the appearance memory, with true landmarks: another moment's mouth and jaw over the subject's first seconds.

    python benchmarks/seam.py anchor.subject vlog.subject

The mouth wanted in frame i of the first usable stretch is that of frame i of the last one, its mesh turned to the
template's head pose and laid onto its rigid points; the jaw's mean place stays the template's. The memory holds all
other frames. `seam` is `metrics.seam.sticky_edge_score` of the result against the template itself, which has 1;
`chin` is how far the wanted chin is from the template's, in pixels.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from lipwright.compose.paste import paste
from lipwright.core.contracts import F32, FaceTrack, RenderWindow
from lipwright.core.ibug import JAW, MOUTH_JAW, RIGID
from lipwright.evaluate.edges import EdgeMaps
from lipwright.face.align import Aligner, apply, invert, similarity
from lipwright.face.landmarks68 import to_68
from lipwright.face.pose import rotation
from lipwright.face.smooth import runs
from lipwright.render.memory.bank import build_bank
from lipwright.render.memory.renderer import MemoryRenderer
from lipwright.subject.store import Subject

FRAMES, APART, MOST = 50, 5, 1500
FLIP = np.array([1.0, -1.0, -1.0])


def stretches(track: FaceTrack) -> tuple[np.ndarray, np.ndarray]:
    """Frame numbers of the template and of the stretch whose mouth it gets."""
    n = min(FRAMES, int(track.good.sum()) // 3)
    long = [(a, b) for a, b in runs(track.good) if b - a >= n]
    return np.arange(long[0][0], long[0][0] + n), np.arange(long[-1][1] - n, long[-1][1])


def wanted(track: FaceTrack, first: np.ndarray, last: np.ndarray, aligner: Aligner) -> F32:
    """(T, 29, 2) mouths and jaws of `last` as the heads of `first` would show them."""
    mesh = np.asarray(track.dense_px[last], np.float64)
    centred = (mesh - mesh.mean(1, keepdims=True)) * FLIP
    turn = rotation(track.pose_rad[first]) @ np.swapaxes(rotation(track.pose_rad[last]), 1, 2)
    turned = to_68((np.einsum("tij,tkj->tki", turn, centred) * FLIP).astype(np.float32))
    own = track.landmarks_px[first]
    points = apply(similarity(turned[:, RIGID], own[:, RIGID]), turned)[:, MOUTH_JAW]
    maps = aligner.maps(own)
    offset = apply(maps, own)[:, JAW].mean(0) - apply(maps, points)[:, 20:].mean(0)
    points[:, 20:] = apply(invert(maps), apply(maps, points)[:, 20:] + offset)
    return points


def measure(path: str) -> tuple[float, float, float, float]:
    """(seam score, lowest and highest chin, CPU ms a frame of rendering)."""
    subject = Subject.open(path)
    track = subject.track
    first, last = stretches(track)
    frames = enumerate(subject.frames.read())
    others = ((i, f) for i, f in frames if not first[0] - APART <= i <= first[-1] + APART and i < MOST)
    renderer = MemoryRenderer(build_bank(others, track))
    target = wanted(track, first, last, renderer.bank.geometry.aligner)
    pictures = list(subject.frames.pictures(int(first[0]), len(first)))
    templates, shown = [p.rgb8() for p in pictures], track[first]
    renderer.reset()
    began = time.process_time()
    patches = list(renderer.render(RenderWindow(templates, shown, target, shown)))
    spent = 1000 * (time.process_time() - began) / len(patches)
    edges = EdgeMaps(shown)
    for t, (picture, patch) in enumerate(zip(pictures, patches, strict=True)):
        edges.add(t, {"real": templates[t], "video": paste(picture, patch).rgb8()})
    drop = target[:, 24, 1] - shown.landmarks_px[:, 8, 1]
    return edges.scores()["video"], float(drop.min()), float(drop.max()), spent


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    result = argparse.ArgumentParser(description="Seams of the appearance memory, with true landmarks.")
    result.add_argument("subjects", nargs="+", help="prepared subjects")
    return result


if __name__ == "__main__":
    for argument in parser().parse_args().subjects:
        seam, low, high, spent = measure(argument)
        print(f"{Path(argument).name:32s} seam {seam:.2f}  chin {low:+.0f} to {high:+.0f} px  {spent:.1f} ms")
