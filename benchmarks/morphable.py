"""The morphable face: CPU milliseconds to draw and to fit one frame.

    python benchmarks/morphable.py SUBJECT/ [--frames 100] [--json FILE]

Times are process CPU time on one thread, so that other work on the machine counts little; every row is also given as a
multiple of one `cv2.warpAffine` (bilinear, RGB) of the same picture in the same run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lipwright.cli.machine import machine
from lipwright.core.files import write_json
from lipwright.face.morphable.fit import follow, identity, reprojection_px
from lipwright.face.morphable.model import scene
from lipwright.face.morphable.person import build
from lipwright.face.morphable.picture import draw, photometric_error
from lipwright.subject.store import Subject


def cpu_ms(work: Callable[[int], object], repeats: int) -> float:
    """CPU milliseconds per call, the first one (compilation, caches) left out."""
    work(0)
    began = time.process_time()
    for k in range(repeats):
        work(k)
    return 1000 * (time.process_time() - began) / repeats


def run(folder: Path, n_frames: int) -> list[dict[str, Any]]:
    """Rows of what each step costs, and the errors of the fit."""
    cv2.setNumThreads(1)
    subject = Subject.open(folder)
    track, size, count = subject.track, subject.size, min(n_frames, len(subject))
    pictures = list(subject.frames.read(0, count))
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), 10, 1)
    unit = cpu_ms(lambda k: cv2.warpAffine(pictures[k % count], turn, size), 50)
    rows: list[dict[str, Any]] = [{"step": "warpAffine (baseline)", "cpu_ms": unit}]
    began = time.process_time()
    model, geometry, texture = identity(build(track), track, subject.frames.frame)
    rows.append({"step": "identity, once", "cpu_ms": 1000 * (time.process_time() - began)})
    began = time.process_time()
    fit = follow(model, geometry, texture, track[:count], iter(pictures))
    rows.append({"step": "fit a frame", "cpu_ms": 1000 * (time.process_time() - began) / count})
    c = fit.coefficients
    posed = scene(model, c, size)
    rows.append({"step": "pose and light a frame", "cpu_ms": cpu_ms(lambda k: scene(model, c, size, k % count), 30)})
    rows.append(
        {
            "step": f"rasterise {len(model.triangles)} triangles",
            "cpu_ms": cpu_ms(lambda _: draw(model, posed, size), 30),
        }
    )
    for row in rows:
        row["x baseline"] = round(row["cpu_ms"] / unit, 2)
        row["cpu_ms"] = round(row["cpu_ms"], 3)
    good = np.flatnonzero(track.good[:count])
    photo = [photometric_error(model, c, int(f), pictures[f], size) for f in good[:: max(len(good) // 8, 1)]]
    rows.append({
        "step": "errors",
        "reprojection_px_at_512": round(float(reprojection_px(fit, track)[good].mean()) * 512 / max(size), 3),
        "photometric_grey_levels": round(float(np.mean(photo)), 2),
        "trusted": round(float(fit.trusted[good].mean()), 3),
    })  # fmt: skip
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("subject", type=Path)
    options.add_argument("--frames", type=int, default=100)
    options.add_argument("--json", type=Path, help="write here too")
    chosen = options.parse_args()
    rows = run(chosen.subject, chosen.frames)
    for row in rows:
        print(row)
    if chosen.json:
        write_json(chosen.json, {"benchmark": "morphable", "rows": rows, "machine": machine()})


if __name__ == "__main__":
    main()
